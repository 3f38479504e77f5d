"""A job without listeners: works for JOB_SECONDS, ends with JOB_STATUS. Appends a line per start
to the file JOB_STARTS."""
import os, sys, time

if path := os.environ.get("JOB_STARTS"):
    with open(path, "a") as file:
        file.write(f"{time.monotonic():.6f} {os.getpid()}\n")
time.sleep(float(os.environ.get("JOB_SECONDS", 0)))
sys.exit(int(os.environ.get("JOB_STATUS", 0)))
