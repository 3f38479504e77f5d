"""Runs a program with bytes that are not UTF-8: bytes.py PROGRAM ARG...

In the arguments and in the values of variables, every $E9 becomes the byte E9."""
import os
import sys

words = [os.fsencode(word).replace(b"$E9", b"\xe9") for word in sys.argv[1:]]
variables = {name: value.replace(b"$E9", b"\xe9") for name, value in os.environb.items()}
os.execve(words[0], words, variables)
