"""Translates the kernels beside this file to PTX: compile.py LIBNVRTC OUTPUT. Started by `cargo xtask gpu-kernels`."""

import ctypes
import pathlib
import sys

OPTIONS = [b"--gpu-architecture=compute_75", b"--std=c++17"]

library, output = ctypes.CDLL(sys.argv[1]), pathlib.Path(sys.argv[2])
program = ctypes.c_void_p()


def text(size_of, get):
    """What the library says in two calls: how long it is, and the text."""
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    get(program, buffer)
    return buffer.value


def call(name, *arguments):
    if status := getattr(library, name)(*arguments):
        log = text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog) if program else b""
        sys.exit(f"{name} failed with status {status}\n{log.decode()}")


def strings(items):
    return (ctypes.c_char_p * len(items))(*items)


# All in one program, in the order of the names, so that there is one text.
files = sorted(file for file in pathlib.Path(__file__).parent.iterdir() if file.suffix in (".cu", ".cuh"))
names = [file.name.encode() for file in files]
source = b"".join(b'#include "%s"\n' % name for name in names if name.endswith(b".cu"))
contents = strings([file.read_bytes() for file in files])
call("nvrtcCreateProgram", ctypes.byref(program), source, b"gradproof.cu", len(files), contents, strings(names))
call("nvrtcCompileProgram", program, len(OPTIONS), strings(OPTIONS))
output.write_bytes(text(library.nvrtcGetPTXSize, library.nvrtcGetPTX))
