"""A job without listeners: runs for JOB_SECONDS, exits with JOB_STATUS. Appends a line per start
to the file JOB_STARTS. JOB_MB is the memory that it takes."""
import os, sys, time

if path := os.environ.get("JOB_STARTS"):
    with open(path, "a") as file:
        file.write(f"{time.monotonic():.6f} {os.getpid()}\n")
memory = b"x" * (int(os.environ.get("JOB_MB", 0)) << 20)
time.sleep(float(os.environ.get("JOB_SECONDS", 0)))
sys.exit(int(os.environ.get("JOB_STATUS", 0)))
