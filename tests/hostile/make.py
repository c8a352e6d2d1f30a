"""Makes hostile checkpoints and pictures, each with the error code it must end in: python tests/hostile/make.py

Only the standard library; nothing here is ever unpickled. `ok` means: opens, and nothing in it is executed.
"""

import base64
import json
import os
import struct
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = f"{HERE}/files"
PICTURES = f"{HERE}/pictures"
expected = {}
expected_pictures = {}

MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"
GLOBAL = lambda module, name: b"c" + module.encode() + b"\n" + name.encode() + b"\n"
STR = lambda text: b"X" + struct.pack("<I", len(text)) + text.encode()
INT = lambda n: b"J" + struct.pack("<i", n) if -2**31 <= n < 2**31 else b"\x8a\x08" + struct.pack("<q", n)
TUPLE = lambda *items: b"(" + b"".join(items) + b"t"


def storage(key="0", numel=4, kind="FloatStorage", module="torch"):
    return TUPLE(STR("storage"), GLOBAL(module, kind), STR(key), STR("cpu"), INT(numel)) + b"Q"


def tensor(store, offset=0, size=(4,), stride=(1,), name="_rebuild_tensor_v2", args=None):
    if args is None:
        args = [store, INT(offset), TUPLE(*map(INT, size)), TUPLE(*map(INT, stride)), b"\x89", b"}"]
    return GLOBAL("torch._utils", name) + TUPLE(*args) + b"R"


def pickled(body):
    return b"\x80\x02" + body + b"."


def state_dict(value, key="encoder.0.weight"):
    return pickled(b"}" + STR(key) + value + b"s")


def write(name, data, code):
    with open(f"{FILES}/{name}", "wb") as file:
        file.write(data)
    expected[name] = code


def picture(name, data, code):
    with open(f"{PICTURES}/{name}", "wb") as file:
        file.write(data)
    expected_pictures[name] = code


def archive(name, pickle, code, data=None, extra=(), change=lambda raw: raw, compression=zipfile.ZIP_STORED):
    path = f"{FILES}/{name}"
    with zipfile.ZipFile(path, "w", compression) as out:
        entries = [("a/data.pkl", pickle), ("a/version", b"3\n")]
        entries += [(f"a/data/{k}", v) for k, v in ({"0": b"\0" * 16} if data is None else data).items()] + list(extra)
        for filename, content in entries:
            out.writestr(zipfile.ZipInfo(filename), content, compression)
    with open(path, "rb") as file:
        raw = bytes(change(bytearray(file.read())))
    write(name, raw, code)


def safetensors(name, header, data, code, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    write(name, struct.pack("<Q", len(text) if length is None else length) + text + data, code)


def pickles():
    good = state_dict(tensor(storage()))
    archive("fine.pth", good, "ok")
    evil = GLOBAL("os", "system") + TUPLE(STR("touch /tmp/infill-was-here")) + b"R"
    archive("os-system.pth", pickled(evil), "checkpoint-no-tensors")
    archive("os-system-beside-weights.pth", pickled(b"}" + STR("w") + tensor(storage()) + b"s" + STR("x") + evil + b"s"), "ok")
    archive("os-system-in-a-key.pth", pickled(b"}" + evil + tensor(storage()) + b"s" + STR("w") + tensor(storage()) + b"s"), "ok")
    bomb = b"(" + STR("x") + b"t" + b"q\x00" + b"".join(b"0(" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"tq" + bytes([i + 1]) for i in range(100))
    archive("memo-bomb.pth", pickled(bomb), "checkpoint-no-tensors")
    archive("dup-bomb.pth", pickled(STR("x") + b"2" * 1_200_000), "checkpoint-limit", compression=zipfile.ZIP_DEFLATED)
    archive("nested-200000.pth", pickled(b")" + b"\x85" * 200_000), "checkpoint-no-tensors", compression=zipfile.ZIP_DEFLATED)
    archive("nested-dicts.pth", pickled((b"}" + STR("model")) * 50_000 + b"N" + b"s" * 50_000), "checkpoint-no-tensors", compression=zipfile.ZIP_DEFLATED)
    archive("self-containing-dict.pth", pickled(b"}q\x00" + STR("model") + b"h\x00s"), "checkpoint-no-tensors")
    # A call that copies its list, a class whose name is pieced together, a long key, a crowd of dicts: each cheap to say again.
    deflated = {"compression": zipfile.ZIP_DEFLATED}
    copies = b"](" + b"N" * 100_000 + b"eq\x000" + GLOBAL("builtins", "set") + b"q\x010h\x00\x85q\x020" + b"h\x01h\x02R0" * 200_000
    archive("copy-bomb.pth", pickled(copies + b"N"), "checkpoint-limit", **deflated)
    long = b"X" + struct.pack("<I", 4_000_000) + b"k" * 4_000_000
    archive("class-name-bomb.pth", pickled(long + b"q\x000" + b"h\x00h\x00\x930" * 200_000 + b"N"), "checkpoint-pickle", **deflated)
    archive("key-bomb.pth", pickled(long + b"q\x000" + tensor(storage()) + b"q\x010}(" + b"h\x00h\x01" * 200_000 + b"u"), "checkpoint-no-tensors", **deflated)
    one_key = STR("a.weight") + b"q\x000" + tensor(storage()) + b"q\x010}(" + b"h\x00h\x01" * 200_000 + b"u"
    archive("one-key-200000-times.pth", pickled(one_key), "ok", **deflated)
    crowd = tensor(storage()) + b"q\x000}(" + b"".join(STR(f"k{i}") + b"}" + STR("w") + b"h\x00s" for i in range(4_000)) + b"u"
    archive("crowd-of-dicts.pth", pickled(crowd), "ok", **deflated)
    # Each dict may hold sixteen networks, or one whose own prefix is any end of this one.
    heads = b"}(" + b"".join(STR(f"h{j}.{end}.weight") + b"h\x00" for j in range(16) for end in "ab") + b"u"
    parts = tensor(storage()) + b"q\x000}(" + b"".join(STR(f"k{i}") + heads for i in range(64)) + b"u"
    archive("crowd-of-parts.pth", pickled(parts), "ok", **deflated)
    prefix = STR("module." * 140 + "w")
    prefixes = tensor(storage()) + b"q\x000" + prefix + b"q\x010}(" + b"".join(STR(f"k{i}") + b"}h\x01h\x00s" for i in range(64)) + b"u"
    archive("crowd-of-prefixes.pth", pickled(prefixes), "ok", **deflated)
    wide = b"}(" + b"K\x01N" * 100_000 + b"uq\x010"
    entries = b"".join(STR(f"m{i}") + b"h\x01" for i in range(10_000))
    archive("metadata-bomb.pth", pickled(wide + GLOBAL("collections", "OrderedDict") + b")R" + STR("a.weight") + tensor(storage()) + b"s}"
        + STR("_metadata") + b"}(" + entries + b"usb"), "ok", **deflated)
    archive("string-of-1-gib.pth", b"\x80\x02X\x00\x00\x00\x40xx", "checkpoint-limit")
    archive("string-of-2-63.pth", b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fxx", "checkpoint-limit")
    archive("long-of-any-length.pth", b"\x80\x02\x8b\xff\xff\xff\x7f\x00", "checkpoint-limit")
    archive("long-of-negative-length.pth", b"\x80\x02\x8b\xff\xff\xff\xff\x00", "checkpoint-pickle")
    archive("setitem-on-an-int.pth", pickled(INT(1) + STR("a") + INT(2) + b"s"), "checkpoint-pickle")
    archive("append-to-a-dict.pth", pickled(b"}" + INT(2) + b"a"), "checkpoint-pickle")
    archive("empty-stack.pth", b"\x80\x020.", "checkpoint-pickle")
    archive("no-mark.pth", b"\x80\x02t.", "checkpoint-pickle")
    archive("unknown-opcode.pth", b"\x80\x02\xff.", "checkpoint-pickle")
    archive("never-stored-memo.pth", b"\x80\x02h\x07.", "checkpoint-pickle")
    archive("extension-registry.pth", b"\x80\x02\x82\x01.", "checkpoint-pickle")
    archive("without-stop.pth", b"\x80\x02}", "checkpoint-truncated")
    archive("empty-pickle.pth", b"", "checkpoint-truncated")
    archive("no-tensors.pth", pickled(b"}" + STR("epoch") + INT(3) + b"s"), "checkpoint-no-tensors")


def rebuilds():
    def bad(name, value, code, **more):
        archive(f"rebuild-{name}.pth", state_dict(value), code, **more)

    bad("without-arguments", tensor(None, args=[]), "checkpoint-pickle")
    bad("with-wrong-types", tensor(None, args=[STR("x")] * 6), "checkpoint-pickle")
    bad("with-negative-offset", tensor(storage(), offset=-1), "checkpoint-pickle")
    bad("with-negative-size", tensor(storage(), size=(-4,)), "checkpoint-pickle")
    bad("with-negative-stride", tensor(storage(), stride=(-1,)), "checkpoint-pickle")
    bad("with-two-sizes-one-stride", tensor(storage(), size=(2, 2)), "checkpoint-pickle")
    bad("stride-0-over-2-42", tensor(storage(), size=(2**21, 2**21), stride=(0, 0)), "checkpoint-tensor")
    bad("stride-0-over-2-29", tensor(storage(), size=(2**29,), stride=(0,)), "checkpoint-tensor")
    bad("offset-past-the-end", tensor(storage(), offset=2**40), "checkpoint-tensor")
    bad("size-past-the-end", tensor(storage(), size=(5,)), "checkpoint-tensor")
    bad("stride-past-the-end", tensor(storage(), size=(2,), stride=(2**62,)), "checkpoint-tensor")
    bad("shape-overflow", tensor(storage(), size=(2**33, 2**33), stride=(1, 1)), "checkpoint-tensor")
    bad("seventeen-dimensions", tensor(storage(), size=(1,) * 17, stride=(1,) * 17), "checkpoint-pickle")
    bad("storage-shorter-than-numel", tensor(storage(numel=1000)), "checkpoint-tensor")
    bad("storage-that-is-not-there", tensor(storage(key="9")), "checkpoint-corrupt")
    bad("storage-by-path", tensor(storage(key="../data.pkl")), "checkpoint-corrupt")
    bad("storage-that-is-no-tuple", tensor(STR("0") + b"Q"), "checkpoint-pickle")
    bad("numel-overflow", tensor(storage(numel=2**62)), "checkpoint-tensor")
    bad("complex", tensor(storage(kind="ComplexFloatStorage")), "checkpoint-dtype")
    bad("float8", tensor(None, name="_rebuild_tensor_v3", args=[
        storage(kind="UntypedStorage", module="torch.storage"), INT(0), TUPLE(INT(4)), TUPLE(INT(1)), b"\x89", b"}",
        GLOBAL("torch", "float8_e4m3fn")]), "checkpoint-dtype")
    bad("sparse", tensor(None, name="_rebuild_sparse_tensor", args=[STR("layout"), TUPLE()]), "checkpoint-dtype")
    bad("quantised", tensor(None, name="_rebuild_qtensor", args=[storage()] * 7), "checkpoint-dtype")
    bad("parameter-of-itself", b"(" + GLOBAL("torch._utils", "_rebuild_parameter") + b"l" + b"q\x000" + GLOBAL("torch._utils", "_rebuild_parameter")
        + TUPLE(b"h\x00", b"\x88", b"}") + b"R", "checkpoint-pickle")


def zip64(raw, locator=0, count=None, size=None):
    """The same archive with 64-bit sizes and offsets in every directory entry, and a zip64 end record."""
    entries, start = struct.unpack_from("<H", raw, len(raw) - 12)[0], struct.unpack_from("<I", raw, len(raw) - 6)[0]
    directory, at = b"", start
    for _ in range(entries):
        head = bytearray(raw[at:at + 46])
        name_length, extra, comment = struct.unpack_from("<HHH", head, 28)
        stored, full = struct.unpack_from("<II", head, 20)
        offset = struct.unpack_from("<I", head, 42)[0]
        struct.pack_into("<II", head, 20, 0xFFFFFFFF, 0xFFFFFFFF)
        struct.pack_into("<H", head, 30, 28)
        struct.pack_into("<I", head, 42, 0xFFFFFFFF)
        directory += bytes(head) + raw[at + 46:at + 46 + name_length] + struct.pack("<HHQQQ", 1, 24, full if size is None else size, stored if size is None else size, offset)
        at += 46 + name_length + extra + comment
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries if count is None else count, len(directory), start)
    place = start + len(directory) + locator
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return bytes(raw[:start]) + directory + end + struct.pack("<4sIQI", b"PK\x06\x07", 0, place % 2**64, 1) + last


def zips():
    good = state_dict(tensor(storage()))

    def central(raw, name):
        at = 0
        while True:
            at = raw.index(b"PK\x01\x02", at)
            length = struct.unpack_from("<H", raw, at + 28)[0]
            if raw[at + 46:at + 46 + length] == name:
                return at
            at += 4

    def patch(name, offset, fmt, value):
        def change(raw):
            struct.pack_into(fmt, raw, central(raw, name) + offset, value)
            return raw
        return change

    archive("zip-encrypted.pth", good, "checkpoint-corrupt", change=patch(b"a/data.pkl", 8, "<H", 1))
    archive("zip-unknown-method.pth", good, "checkpoint-corrupt", change=patch(b"a/data.pkl", 10, "<H", 12))
    archive("zip-bad-crc.pth", good, "checkpoint-corrupt", change=patch(b"a/data.pkl", 16, "<I", 1))
    archive("zip-bad-crc-of-values.pth", good, "ok-but-reading:checkpoint-corrupt", change=patch(b"a/data/0", 16, "<I", 1))
    archive("zip-altered-offset.pth", good, "checkpoint-corrupt", change=patch(b"a/version", 42, "<I", 3))
    archive("zip-size-lie.pth", good, "checkpoint-corrupt", change=patch(b"a/data/0", 24, "<I", 4000))
    archive("zip-overlap.pth", good, "checkpoint-corrupt", change=patch(b"a/version", 42, "<I", 0))
    archive("zip-zip64-lie.pth", good, "checkpoint-corrupt", change=patch(b"a/data/0", 24, "<I", 0xFFFFFFFF))
    archive("zip-duplicate.pth", good, "checkpoint-corrupt", extra=[("a/version", b"3\n")])
    archive("zip-traversal.pth", good, "checkpoint-corrupt", extra=[("../../etc/passwd", b"x")])
    # The count alone must end it: a real directory of 65,000 entries would be 5 MB in git.
    write("zip-65000-entries.pth", b"PK\x03\x04" + b"\0" * 1000 + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65_000, 65_000, 900, 4, 0), "checkpoint-limit")
    archive("zip-deflate-bomb.pth", b"\x80\x02" + b"N0" * 40_000_000 + b"N.", "checkpoint-limit", compression=zipfile.ZIP_DEFLATED)
    archive("zip-deflate-lie.pth", good, "checkpoint-corrupt", change=patch(b"a/data.pkl", 24, "<I", 10), compression=zipfile.ZIP_DEFLATED)
    # 40 MB of values in 40 kB, of which a tensor needs four.
    archive("zip-deflated-values-bomb.pth", state_dict(tensor(storage(numel=10_000_000))), "ok-but-reading:checkpoint-limit", data={"0": b"\0" * 40_000_000}, compression=zipfile.ZIP_DEFLATED)
    # Views of one storage, and storages of zeros: nothing is read, for together they unfold to a gigabyte and more.
    views = lambda count, *values: pickled(b"}(" + b"".join(STR(f"w{i}") + values[i % len(values)] for i in range(count)) + b"u")
    reading = "ok-but-reading:checkpoint-limit"
    archive("views-of-stride-0.pth", views(70, tensor(storage(), size=(2**22,), stride=(0,))), reading)
    again = tensor(storage(numel=10_000), size=(10_000,)) + b"q\x000}(" + b"".join(STR(f"w{i}") + b"h\x00" for i in range(3_000)) + b"u"
    archive("views-of-one-storage.pth", pickled(again), reading, data={"0": b"\0" * 40_000})
    zeros = lambda key: tensor(storage(key=key, numel=2_000_000), size=(2_000_000,))
    archive("views-of-deflated-zeros.pth", views(70, zeros("0")), reading, data={"0": b"\0" * 8_000_000}, compression=zipfile.ZIP_DEFLATED)
    one = lambda key: tensor(storage(key=key, numel=2_000_000), size=(1,))
    archive("views-in-turn-of-deflated-zeros.pth", views(500, one("0"), one("1")), reading, data={"0": b"\0" * 8_000_000, "1": b"\0" * 8_000_000}, compression=zipfile.ZIP_DEFLATED)
    archive("zip-long-name.pth", good, "checkpoint-corrupt", extra=[("a/" + "n" * 2000, b"x")])
    archive("zip64-fine.pth", good, "ok", change=zip64)
    archive("zip64-record-elsewhere.pth", good, "checkpoint-corrupt", change=lambda raw: zip64(raw, locator=1))
    archive("zip64-record-past-the-end.pth", good, "checkpoint-truncated", change=lambda raw: zip64(raw, locator=2**63))
    archive("zip64-count-of-2-63.pth", good, "checkpoint-limit", change=lambda raw: zip64(raw, count=2**63))
    archive("zip64-size-of-2-63.pth", good, "checkpoint-corrupt", change=lambda raw: zip64(raw, size=2**63))
    with zipfile.ZipFile(f"{FILES}/zip-of-pictures.pth", "w") as out:
        out.writestr(zipfile.ZipInfo("holiday.jpg"), b"\xff\xd8\xff")
    expected["zip-of-pictures.pth"] = "checkpoint-not-weights"
    write("zip-empty.pth", b"PK\x05\x06" + b"\0" * 18, "checkpoint-not-weights")


def legacies():
    head = MAGIC + pickled(INT(1001)) + pickled(b"}" + STR("little_endian") + b"\x88s")
    body = state_dict(tensor(storage()))
    keys = pickled(b"]" + STR("0") + b"a")
    values = struct.pack("<q", 4) + b"\0" * 16
    write("legacy-fine.pth", head + body + keys + values, "ok")
    write("legacy-short-storage.pth", head + body + keys + values[:-3], "checkpoint-truncated")
    write("legacy-count-lie.pth", head + body + keys + struct.pack("<q", 2**60) + b"\0" * 16, "checkpoint-truncated")
    write("legacy-negative-count.pth", head + body + keys + struct.pack("<q", -1) + b"\0" * 16, "checkpoint-truncated")
    write("legacy-fewer-elements.pth", head + body + keys + struct.pack("<q", 2) + b"\0" * 8, "checkpoint-tensor")
    odd = state_dict(tensor(storage(kind="ComplexFloatStorage")))
    write("legacy-complex.pth", head + odd + keys + struct.pack("<q", 4) + b"\0" * 32, "checkpoint-dtype")
    again = b"".join([STR("storage"), GLOBAL("torch", "FloatStorage"), STR("k" * 1000), STR("cpu"), INT(4)])
    write("legacy-storages-again.pth", head + pickled(b"(" + again + b"tq\x000" + b"h\x00Q0" * 12_000 + b"N") + pickled(b"]"), "checkpoint-no-tensors")
    write("legacy-without-keys.pth", head + body + pickled(b"]"), "checkpoint-corrupt")
    write("legacy-foreign-key.pth", head + body + pickled(b"]" + STR("7") + b"a") + values, "checkpoint-corrupt")


def tar(name, code, storages, tensors, main=None, parts=("storages", "tensors", "pickle"), lie=0):
    """The layout of PyTorch before 0.1.10."""
    main = pickled(b"}" + STR("encoder.0.weight") + STR("7") + b"Qs") if main is None else main
    data = {"storages": storages, "tensors": tensors, "pickle": main}
    out = b""
    for part in parts:
        header = bytearray(512)
        header[:len(part)] = part.encode()
        header[124:135] = b"%011o" % (len(data[part]) + lie)
        header[257:262] = b"ustar"
        out += bytes(header) + data[part] + b"\0" * (-len(data[part]) % 512)
    write(name, out + b"\0" * 1024, code)


def tars():
    one = lambda count: pickled(INT(1)) + pickled(TUPLE(INT(3), STR("cpu"), GLOBAL("torch", "FloatStorage"))) + struct.pack("<q", count) + b"\0" * 16 + pickled(b"]")
    tensor = lambda dims, sides, storage=3: pickled(INT(1)) + pickled(TUPLE(INT(7), INT(storage), GLOBAL("torch", "FloatTensor"))) + struct.pack("<ii", dims, 0) + struct.pack(f"<{len(sides)}q", *sides)
    good = tensor(1, [4, 1, 0])
    tar("tar-fine.pth", "ok", one(4), good)
    tar("tar-without-tensors.pth", "checkpoint-not-weights", one(4), good, parts=("storages", "pickle"))
    tar("tar-size-lie.pth", "checkpoint-truncated", one(4), good, lie=2**30)
    tar("tar-storage-lie.pth", "checkpoint-truncated", one(2**60), good)
    tar("tar-negative-storage.pth", "checkpoint-corrupt", one(-1), good)
    tar("tar-storage-short.pth", "checkpoint-pickle", one(2), good)
    tar("tar-million-tensors.pth", "checkpoint-limit", one(4), pickled(INT(1_000_000)))
    tar("tar-2-30-dimensions.pth", "checkpoint-corrupt", one(4), tensor(2**30, [4, 1, 0]))
    tar("tar-shape-overflow.pth", "checkpoint-tensor", one(4), tensor(2, [2**40, 2**40, 1, 1, 0]))
    tar("tar-foreign-storage.pth", "checkpoint-corrupt", one(4), tensor(1, [4, 1, 0], storage=9))
    tar("tar-os-system.pth", "checkpoint-no-tensors", one(4), good, main=pickled(GLOBAL("os", "system") + TUPLE(STR("touch /tmp/infill-was-here")) + b"R"))
    write("tar-empty.pth", b"\0" * 257 + b"ustar" + b"\0" * 250, "checkpoint-corrupt")


def safe():
    one = {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    sixteen = b"\0" * 16
    safetensors("fine.safetensors", one, sixteen, "ok")
    safetensors("header-of-2-63.safetensors", one, sixteen, "checkpoint-limit", length=2**63)
    safetensors("header-of-200-mb.safetensors", one, sixteen, "checkpoint-limit", length=200_000_000)
    safetensors("header-past-the-end.safetensors", one, sixteen, "checkpoint-truncated", length=5_000)
    safetensors("header-not-utf8.safetensors", b'{"\xff\xfe": 1}', sixteen, "checkpoint-corrupt")
    safetensors("header-not-json.safetensors", b'{"w": ', sixteen, "checkpoint-corrupt")
    safetensors("header-deep.safetensors", b'{"w":' + b"[" * 5000 + b"]" * 5000 + b"}", sixteen, "checkpoint-corrupt")
    safetensors("entry-of-10000-numbers.safetensors", b'{"w":{"dtype":"F32","shape":[' + b"1," * 10_000 + b'1],"data_offsets":[0,16]}}', sixteen, "checkpoint-corrupt")
    safetensors("key-twice.safetensors", b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', sixteen, "checkpoint-corrupt")
    two = lambda a, b: {"a": {"dtype": "F32", "shape": [4], "data_offsets": a}, "b": {"dtype": "F32", "shape": [4], "data_offsets": b}}
    safetensors("overlap.safetensors", two([0, 16], [8, 24]), b"\0" * 24, "checkpoint-corrupt")
    safetensors("gap.safetensors", two([0, 16], [20, 36]), b"\0" * 36, "checkpoint-corrupt")
    safetensors("tail.safetensors", one, b"\0" * 20, "checkpoint-corrupt")
    safetensors("short.safetensors", one, b"\0" * 12, "checkpoint-truncated")
    safetensors("bytes-lie.safetensors", {"w": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}, sixteen, "checkpoint-tensor")
    safetensors("shape-overflow.safetensors", {"w": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 16]}}, sixteen, "checkpoint-tensor")
    safetensors("negative-shape.safetensors", {"w": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}, sixteen, "checkpoint-tensor")
    safetensors("offsets-reversed.safetensors", {"w": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, sixteen, "checkpoint-tensor")
    safetensors("float8.safetensors", {"w": {"dtype": "F8_E4M3", "shape": [16], "data_offsets": [0, 16]}}, sixteen, "checkpoint-dtype")
    # Its length reads ` <` as bytes, and another one `PK`.
    safetensors("length-like-a-web-page.safetensors", json.dumps(one).ljust(15_392).encode(), sixteen, "ok")
    safetensors("length-like-a-zip.safetensors", json.dumps(one).ljust(0x4B50).encode(), sixteen, "ok")
    safetensors("no-tensors.safetensors", {"__metadata__": {"a": "b"}}, b"", "checkpoint-no-tensors")


def others():
    write("empty.pth", b"", "checkpoint-format")
    write("three-bytes.pth", b"abc", "checkpoint-not-weights")
    write("web-page.pth", b"\n<!DOCTYPE html><html><title>Sign in</title>", "checkpoint-not-weights")
    write("lfs-pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 173190809\n", "checkpoint-not-weights")
    write("picture.pth", b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "checkpoint-not-weights")
    write("photo.pth", b"\xff\xd8\xff\xe0" + b"\0" * 30, "checkpoint-not-weights")
    write("archive.pth", zlib.compress(b"x", wbits=31), "checkpoint-not-weights")
    write("seven-zip.pth", b"7z\xbc\xaf\x27\x1c" + b"\0" * 30, "checkpoint-not-weights")
    write("plain.pkl", pickled(b"}"), "checkpoint-format")
    foreign()


def foreign():
    """Files of other programs, each of which is named with what to do next."""
    other = "checkpoint-not-weights"
    for name, data in [
        ("gguf", b"GGUF\x03\0\0\0" + b"\0" * 30), ("tflite", b"\x1c\0\0\0TFL3" + b"\0" * 30), ("h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 30),
        ("npy", b"\x93NUMPY\x01\0" + b"\0" * 30), ("saved-model.pb", b"\x08\x01\x12\x20" + b"\0" * 30),
        ("graph.pb", b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder"), ("graph.meta", b"\x0a\x0c\x12\x0a\x0a\x08\x0a\x03Add\x12\x01x"),
        ("tensorflow.index", b"\0" * 40 + bytes.fromhex("57fb808b247547db")),
        ("tensorflow.data", struct.pack("<64f", *[0.01 * (i - 31.5) for i in range(64)])),
        ("error.json", b'{"error": "Repository not found"}'), ("entry-not-found.pth", b"Entry not found"),
        ("shards.index.json", b'{"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}'),
        ("protobuf-without-end.pb", b"\x0a" + b"\xff" * 40), ("lua.t7", struct.pack("<iii", 4, 1, 3) + b"V 1" + b"\0" * 30),
    ]:
        write(f"foreign-{name}", data, "checkpoint-format" if name.startswith("protobuf") else other)
    for name, entries in [("keras", ["config.json", "model.weights.h5"]), ("pt2", ["a/archive_format", "a/models/model.json"]), ("npz", ["a.npy", "b.npy"]), ("two.zip", ["gen.pth", "dis.pth"])]:
        with zipfile.ZipFile(f"{FILES}/foreign-{name}", "w") as out:
            for entry in entries:
                out.writestr(zipfile.ZipInfo(entry), b"x")
        expected[f"foreign-{name}"] = other
    write("foreign-stylegan.pkl", pickled(GLOBAL("torch_utils.persistence", "_reconstruct_persistent_obj") + b")R"), "checkpoint-format")
    write("foreign-data.pkl", state_dict(tensor(storage())), "checkpoint-format")
    write("foreign-arrays.pkl", pickled(GLOBAL("numpy.core.multiarray", "_reconstruct") + b")R"), "checkpoint-format")
    archive("foreign-arrays.pth", state_dict(GLOBAL("numpy.core.multiarray", "_reconstruct") + b")R"), "checkpoint-no-tensors")


def png(name, chunks, code, size=(1, 1), color=2, end=b"\0\0\0\0IEND\xae\x42\x60\x82"):
    header = struct.pack(">IIBBBBB", *size, 8, color, 0, 0, 0)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    picture(name, b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in [(b"IHDR", header), *chunks]) + end, code)


def webp(name, chunks, code):
    body = b"".join(kind + struct.pack("<I", len(data) if length is None else length) + data + b"\0" * (len(data) % 2) for kind, data, length in chunks)
    picture(name, b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body, code)


def pictures():
    rows = lambda count, size: (b"IDAT", zlib.compress((b"\0" * (1 + size)) * count, 9))
    png("png-fine.png", [rows(1, 3)], "ok")
    png("png-palette-fine.png", [(b"PLTE", b"\1\2\3"), rows(1, 1)], "ok", color=3)
    for length in [0, 1, 4, 769]:
        png(f"png-palette-of-{length}-bytes.png", [(b"PLTE", b"\1" * length), rows(1, 1)], "image-corrupt", color=3)
    # Opened without the profile, of which no more than a part is inflated.
    png("png-profile-of-200-mb.png", [(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 200_000_000, 9)), rows(1, 3)], "ok")
    png("png-120-megapixels.png", [rows(1, 3)], "image-limit", size=(12_000, 10_000))
    png("png-chunk-past-the-end.png", [rows(1, 3)], "ok", end=struct.pack(">I", 2**31 - 1) + b"eXIfxx")
    one_colour = lambda w, h: (b"VP8L", b"\x2f" + struct.pack("<I", w - 1 | h - 1 << 14) + bytes.fromhex("071011fd0f4444ff03"), None)
    extended = lambda w, h, flags: (b"VP8X", struct.pack("<I", flags) + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little"), None)
    webp("webp-fine.webp", [one_colour(1, 1)], "ok")
    webp("webp-4-megapixels-of-one-colour.webp", [one_colour(2000, 2000)], "ok")
    webp("webp-120-megapixels-of-one-colour.webp", [one_colour(12_000, 10_000)], "image-limit")
    lossy = lambda w, h: (b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", w, h) + b"\0" * 8, None)
    webp("webp-120-megapixels.webp", [lossy(12_000, 10_000)], "image-limit")
    webp("webp-frame-of-268-megapixels.webp", [extended(1, 1, 0), lossy(16_383, 16_383)], "image-limit")
    for kind, flags in [(b"ICCP", 32), (b"EXIF", 8), (b"XMP ", 4)]:
        name = kind.decode().strip().lower()
        webp(f"webp-{name}-of-4-gb.webp", [extended(1, 1, flags), one_colour(1, 1), (kind, b"xx", 2**32 - 1)], "image-corrupt")
    inner = b"\0" * 16 + b"EXIF" + struct.pack("<I", 2**32 - 1)
    webp("webp-exif-of-4-gb-in-a-frame.webp", [extended(1, 1, 2), (b"ANIM", b"\0" * 6, None), (b"ANMF", inner + b"\0" * 8, None)], "image-corrupt")
    frame = bytes.fromhex("ffc0001108") + struct.pack(">HH", 10_000, 12_000) + bytes.fromhex("03012200021101031101")
    # Two that are sound, as Pillow writes them: a JPEG in CMYK, 16 x 12, and an animation of two frames, 9 x 7.
    cmyk = (
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBKUVJP/8AAFAgADAAQBE"
        "MRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHw"
        "JDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxs"
        "fIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD0Ksuu2r0iiiiiiiiiiiiiv//Z"
    )
    picture("jpeg-cmyk.jpg", base64.b64decode(cmyk), "image-format")
    animation = (
        "UklGRogAAABXRUJQVlA4WAoAAAACAAAACAAABgAAQU5JTQYAAAAAAAAAAABBTk1GKgAAAAAAAAAAAAgAAAYAAGQAAAJWUDhMEQAAAC8IgAEAB1CPIhel/4GI6H8AAEFOTU"
        "YqAAAAAAAAAAAACAAABgAAZAAAAFZQOEwRAAAALwiAAQAHUIoqFLn/gYjofwAA"
    )
    picture("webp-animated.webp", base64.b64decode(animation), "ok")
    picture("jpeg-120-megapixels.jpg", b"\xff\xd8" + frame + bytes.fromhex("ffda000c03010002110311003f00") + b"\0" * 8, "image-limit")


def varint(n):
    n &= 2**64 - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


INTEGER = lambda field, n: varint(field << 3) + varint(n)
PART = lambda field, data, length=None: varint(field << 3 | 2) + varint(len(data) if length is None else length) + data


def onnx_tensor(name="a.weight", dims=(4,), kind=1, data=b"\0" * 16, length=None, more=b""):
    sides = b"".join(INTEGER(1, side) for side in dims)
    return sides + INTEGER(2, kind) + PART(8, name.encode()) + more + PART(9, data, length)


def onnx_node(op="Relu", name=b"a", inputs=(b"x",), outputs=(b"y",), more=b""):
    named = b"".join(PART(1, one) for one in inputs) + b"".join(PART(2, one) for one in outputs)
    return PART(1, named + PART(3, name) + PART(4, op.encode()) + more)


def onnx(name, graph, code, tail=PART(8, INTEGER(2, 17))):
    write(f"onnx-{name}.onnx", INTEGER(1, 8) + PART(2, b"hand") + PART(7, graph) + tail, code)


def graphs():
    side = lambda n: PART(1, INTEGER(1, n))
    port = lambda name: PART(1, name) + PART(2, PART(1, INTEGER(1, 1) + PART(2, side(1) + side(3) + side(8) + side(8))))
    ports = PART(11, port(b"x")) + PART(12, port(b"y"))
    weight = PART(5, onnx_tensor())
    fine = onnx_node() + weight + ports
    onnx("fine", fine, "ok")
    whole = INTEGER(1, 8) + PART(2, b"hand") + PART(7, fine)
    write("onnx-cut.onnx", whole[:-9], "checkpoint-truncated")
    write("onnx-no-graph.onnx", INTEGER(1, 8) + PART(2, b"hand"), "checkpoint-corrupt")
    write("onnx-two-graphs.onnx", whole + PART(7, fine), "checkpoint-corrupt")
    write("onnx-graph-of-1-gb.onnx", INTEGER(1, 8) + PART(2, b"hand") + PART(7, fine, 2**30), "checkpoint-truncated")
    write("onnx-graph-of-2-64.onnx", INTEGER(1, 8) + PART(2, b"hand") + PART(7, fine, 2**64 - 1), "checkpoint-truncated")
    onnx("no-weights", onnx_node() + ports, "checkpoint-no-tensors")
    onnx("initializer-of-4-gb", PART(5, onnx_tensor(length=2**32)), "checkpoint-truncated")
    onnx("initializer-past-its-message", PART(5, onnx_tensor(length=20)) + b"\0" * 64, "checkpoint-corrupt")
    onnx("fewer-bytes-than-its-shape", PART(5, onnx_tensor(dims=(2**30,))), "checkpoint-tensor")
    onnx("negative-side", PART(5, onnx_tensor(dims=(-4,))), "checkpoint-tensor")
    onnx("shape-of-2-70", PART(5, onnx_tensor(dims=(2**35, 2**35))), "checkpoint-tensor")
    onnx("of-17-dimensions", PART(5, onnx_tensor(dims=(1,) * 17)), "checkpoint-limit")
    onnx("complex", PART(5, onnx_tensor(kind=14)), "checkpoint-dtype")
    onnx("float8", PART(5, onnx_tensor(kind=17)), "checkpoint-dtype")
    onnx("of-no-type", PART(5, onnx_tensor(kind=99)), "checkpoint-dtype")
    onnx("sparse", fine + PART(15, b""), "checkpoint-dtype")
    place = PART(13, PART(1, b"location") + PART(2, b"model.onnx.data"))
    onnx("weights-elsewhere", PART(5, onnx_tensor(more=place + INTEGER(14, 1))), "checkpoint-no-tensors")
    onnx("key-twice", weight * 2, "checkpoint-corrupt")
    onnx("value-twice", weight + onnx_node() * 2 + ports, "checkpoint-corrupt")
    onnx("name-of-2-kb", weight + onnx_node(name=b"a" * 2048) + ports, "checkpoint-limit")
    onnx("name-of-1-gb", weight + varint(8 | 2) + varint(2**30) + b"x" * 64, "checkpoint-truncated")
    onnx("name-not-utf8", weight + onnx_node(name=b"\xff\xfe") + ports, "checkpoint-corrupt")
    onnx("number-without-end", weight + b"\x08" + b"\xff" * 12, "checkpoint-corrupt")
    onnx("group", weight + b"\x0b\x0c", "checkpoint-corrupt")
    onnx("values-too-few", PART(5, INTEGER(1, 4) + INTEGER(2, 7) + PART(8, b"a") + PART(7, b"\1\2")), "checkpoint-tensor")
    deep = b""
    for _ in range(2000):
        deep = PART(1, PART(5, PART(1, b"body") + PART(6, deep) + INTEGER(20, 5)) + PART(4, b"If") + PART(2, b"z"))
    onnx("bodies-2000-deep", weight + deep + onnx_node() + ports, "ok")
    # Read, but not followed: tests/onnx.rs says in what words.
    onnx("loop", weight + onnx_node(inputs=(b"y",)) + ports, "ok")
    shape = PART(5, INTEGER(1, 1) + INTEGER(2, 7) + PART(8, b"n") + PART(9, struct.pack("<q", 2**40)))
    onnx("constant-of-2-40", weight + shape + onnx_node("ConstantOfShape", inputs=(b"n",)) + ports, "ok")
    pads = PART(5, INTEGER(1, 8) + INTEGER(2, 7) + PART(8, b"n") + PART(9, struct.pack("<8q", 0, 0, 2**62, 0, 0, 0, 2**62, 0)))
    onnx("pads-of-2-62", weight + pads + onnx_node("Pad", inputs=(b"x", b"n")) + ports, "ok")


if __name__ == "__main__":
    for folder in [FILES, PICTURES]:
        os.makedirs(folder, exist_ok=True)
        for old in os.listdir(folder):
            os.remove(f"{folder}/{old}")
    for make in [pickles, rebuilds, zips, legacies, tars, safe, graphs, others, pictures]:
        make()
    for name, codes in [("expected", expected), ("pictures", expected_pictures)]:
        with open(f"{HERE}/{name}.json", "w") as file:
            json.dump(codes, file, indent=1, sort_keys=True)
    print(len(expected), "files,", len(expected_pictures), "pictures")
