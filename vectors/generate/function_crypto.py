"""function_crypto.py - SipHash, HalfSipHash and AES-CMAC from their papers, slow, to check published tables against. Digests come from hashlib."""

import struct


def rotate(value, count, width):
    return (value << count | value >> (width - count)) & ((1 << width) - 1)


def sip_round(v, width, turns):
    mask = (1 << width) - 1
    a, b, c, d, e, f = turns
    v[0] = v[0] + v[1] & mask
    v[1] = rotate(v[1], a, width) ^ v[0]
    v[0] = rotate(v[0], b, width)
    v[2] = v[2] + v[3] & mask
    v[3] = rotate(v[3], c, width) ^ v[2]
    v[0] = v[0] + v[3] & mask
    v[3] = rotate(v[3], d, width) ^ v[0]
    v[2] = v[2] + v[1] & mask
    v[1] = rotate(v[1], e, width) ^ v[2]
    v[2] = rotate(v[2], f, width)


def sip(key, message, octets, half):
    """SipHash-2-4 with 8 or 16 octets, or HalfSipHash-2-4 with 4 or 8."""
    width, turns = (32, (5, 16, 8, 7, 13, 16)) if half else (64, (13, 32, 16, 21, 17, 32))
    word, form = width // 8, "<II" if half else "<QQ"
    k = struct.unpack(form, key[:2 * word])
    v = [k[0], k[1], k[0] ^ 0x6C796765, k[1] ^ 0x74656462] if half else \
        [k[0] ^ 0x736F6D6570736575, k[1] ^ 0x646F72616E646F6D, k[0] ^ 0x6C7967656E657261, k[1] ^ 0x7465646279746573]
    long = octets == 2 * word
    v[1] ^= 0xEE if long else 0
    padded = message + b"\0" * ((word - 1 - len(message)) % word) + bytes([len(message) & 255])
    for at in range(0, len(padded), word):
        m = int.from_bytes(padded[at:at + word], "little")
        v[3] ^= m
        sip_round(v, width, turns)
        sip_round(v, width, turns)
        v[0] ^= m
    v[2] ^= 0xEE if long else 0xFF
    out = b""
    for part in range(2 if long else 1):
        v[1] ^= 0xDD if part else 0
        for _ in range(4):
            sip_round(v, width, turns)
        word_out = v[1] ^ v[3] if half else v[0] ^ v[1] ^ v[2] ^ v[3]
        out += word_out.to_bytes(word, "little")
    return out


def aes_sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ (p << 1 & 255) ^ (0x1B if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 255
        q ^= 0x09 if q & 0x80 else 0
        box[p] = q ^ rotate(q, 1, 8) ^ rotate(q, 2, 8) ^ rotate(q, 3, 8) ^ rotate(q, 4, 8) ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


SBOX = aes_sbox()


def double(value):
    return (value << 1 ^ (0x1B if value & 0x80 else 0)) & 255


def aes128(key, block):
    words, power = [key[i:i + 4] for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        last = words[-1]
        if i % 4 == 0:
            last = bytes(SBOX[x] for x in last[1:] + last[:1])
            last = bytes([last[0] ^ power]) + last[1:]
            power = double(power)
        words.append(bytes(a ^ b for a, b in zip(words[i - 4], last)))
    rounds = [b"".join(words[i:i + 4]) for i in range(0, 44, 4)]
    state = bytes(a ^ b for a, b in zip(block, rounds[0]))
    for turn in range(1, 11):
        state = bytes(SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))
        if turn < 10:
            mixed = []
            for at in range(0, 16, 4):
                column = state[at:at + 4]
                every = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[i] ^ every ^ double(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
            state = bytes(mixed)
        state = bytes(a ^ b for a, b in zip(state, rounds[turn]))
    return state


def aes_cmac(key, message):
    """RFC 4493 2.4."""
    def subkey(block):
        number = int.from_bytes(block, "big")
        return ((number << 1 & (1 << 128) - 1) ^ (0x87 if number >> 127 else 0)).to_bytes(16, "big")
    k1 = subkey(aes128(key, bytes(16)))
    whole = bool(message) and len(message) % 16 == 0
    padded = message if whole else message + b"\x80" + b"\0" * (15 - len(message) % 16)
    last = bytes(a ^ b for a, b in zip(padded[-16:], k1 if whole else subkey(k1)))
    mac = bytes(16)
    for at in range(0, len(padded) - 16, 16):
        mac = aes128(key, bytes(a ^ b for a, b in zip(mac, padded[at:at + 16])))
    return aes128(key, bytes(a ^ b for a, b in zip(mac, last)))


def aes_cmac_prf(key, message):
    """RFC 4615 3."""
    return aes_cmac(key if len(key) == 16 else aes_cmac(bytes(16), key), message)
