#!/bin/bash -eu
# fuzz/oss-fuzz/build.sh [TARGET...] - makes $OUT for OSS-Fuzz and ClusterFuzzLite: of each target the program, its seed
# corpus as a zip, its dictionary and its options. The engine comes from outside, in $LIB_FUZZING_ENGINE; $SRC/weir is
# the tree. No target named: all of them.
cd "$SRC/weir"
if [ $# -eq 0 ]; then
    set -- fuzz/fuzz_*.c
    set -- "${@#fuzz/fuzz_}"
    set -- "${@%.c}"
fi

for target; do
    name=fuzz_$target
    if [ -f "fuzz/$name.packages" ]; then
        echo "$name is left out: where it would run there is no $(cat "fuzz/$name.packages")"
        continue
    fi
    grep -q 'int LLVMFuzzerTestOneInput(' "fuzz/$name.c"
    # shellcheck disable=SC2086 # flags are lists of words
    $CC $CFLAGS -std=c11 -D_DEFAULT_SOURCE -DWEIR_FUZZ_UNIT -DWEIR_DEBUG -DWEIR_HOSTED -Iinclude -Ilib -Ifuzz -Wno-unused-function \
        -c "fuzz/$name.c" -o "$WORK/$name.o"
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "$WORK/$name.o" $LIB_FUZZING_ENGINE -o "$OUT/$name"

    seeds=("fuzz/corpus/$target"/* "fuzz/regressions/$target"/*)
    for i in "${!seeds[@]}"; do
        [ -f "${seeds[$i]}" ] || unset "seeds[$i]"
    done
    rm -f "$OUT/${name}_seed_corpus.zip"
    [ ${#seeds[@]} -eq 0 ] || python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" "${seeds[@]}"

    if [ -f "fuzz/$name.dict" ]; then cp "fuzz/$name.dict" "$OUT/$name.dict"; else cp fuzz/tcp.dict "$OUT/$name.dict"; fi
    if [ -f "fuzz/$name.options" ]; then
        cp "fuzz/$name.options" "$OUT/$name.options"
    else
        printf '[libfuzzer]\nmax_len = 1024\n' >"$OUT/$name.options"
    fi
done
