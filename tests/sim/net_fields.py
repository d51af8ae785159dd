#!/usr/bin/env python3
"""The fields of weir_config that are one number or switch, as NET_FIELD(name) lines: net_fields.py HEADER > net_fields.inc"""
import pathlib
import re
import sys


def fields(text: str) -> list[str]:
    body = re.search(r"typedef struct weir_config \{(.*?)\} weir_config;", text, re.S)
    if body is None:
        sys.exit("net_fields: no struct weir_config in that header")
    bare = re.sub(r"/\*.*?\*/", "", body.group(1), flags=re.S)
    return re.findall(r"^\s*\w+\s+(\w+);$", bare.replace("; ", ";\n"), re.M)


print("/* net_fields.inc - made from weir.h */")
for name in fields(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")):
    print(f"NET_FIELD({name})")
