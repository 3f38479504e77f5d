"""Keeps a page open in a headless Chromium and prints its content, one line of JSON each half
second: what EXPRESSION gives in the page, as an object, with the browser's own complaints (errors of
scripts, what the page's policy forbade) as `complaints` and all addresses that it asked as `asked`.

browser.py FOLDER URL WIDTH HEIGHT light|dark EXPRESSION [PICTURE]

The browser's files are in FOLDER. With PICTURE each look is saved there as a PNG, too. It is steered
through two pipes by the DevTools protocol, which needs no library.
"""
import base64, json, os, subprocess, sys, time

folder, url, width, height, scheme, expression, *picture = sys.argv[1:]
complaints, asked, last_number = [], [], 0


def start():
    """Chromium, with descriptors 3 and 4 as its pipes."""
    command_read, command_write = os.pipe()
    answer_read, answer_write = os.pipe()
    # Move them away from 3 and 4 first: the pipes of a new process have these numbers.
    command_read, answer_write = (os.dup2(end, end + 100) for end in (command_read, answer_write))

    def place():
        os.dup2(command_read, 3)
        os.dup2(answer_write, 4)

    subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--remote-debugging-pipe", "--user-data-dir=" + folder, "about:blank"],
        pass_fds=(3, 4, command_read, answer_write), preexec_fn=place,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=dict(os.environ, HOME=folder, XDG_RUNTIME_DIR=folder))
    os.close(answer_write)
    return command_write, answer_read


commands, answers = start()
buffer = b""


def receive():
    """The next message of the browser."""
    global buffer
    while b"\0" not in buffer:
        chunk = os.read(answers, 65536)
        if not chunk:
            sys.exit("the browser is gone")
        buffer += chunk
    message, _, buffer = buffer.partition(b"\0")
    return json.loads(message)


def call(method, session=None, **parameters):
    """Calls a method and returns its result; records events meanwhile."""
    global last_number
    last_number += 1
    message = {"id": last_number, "method": method, "params": parameters}
    if session:
        message["sessionId"] = session
    os.write(commands, json.dumps(message).encode() + b"\0")
    while True:
        answer = receive()
        if answer.get("id") == last_number:
            if "error" in answer:
                sys.exit(f"{method}: {answer['error']}")
            return answer["result"]
        note(answer.get("method"), answer.get("params", {}))


def note(event, facts):
    if event == "Runtime.exceptionThrown":
        details = facts["exceptionDetails"]
        complaints.append(details.get("exception", {}).get("description") or details["text"])
    elif event == "Log.entryAdded" and facts["entry"]["source"] != "network":
        complaints.append(facts["entry"]["text"])
    elif event == "Network.requestWillBeSent":
        address = facts["request"]["url"]
        if address not in asked and not address.startswith("data:"):
            asked.append(address)


target = call("Target.createTarget", url="about:blank")["targetId"]
page = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
for domain in "Runtime", "Log", "Network", "Page":
    call(domain + ".enable", page)
call("Emulation.setDeviceMetricsOverride", page, width=int(width), height=int(height),
     deviceScaleFactor=1, mobile=int(width) < 600)
call("Emulation.setEmulatedMedia", page,
     features=[{"name": "prefers-color-scheme", "value": scheme}])
call("Page.navigate", page, url=url)
while True:
    time.sleep(0.5)
    found = call("Runtime.evaluate", page, expression=expression, returnByValue=True)
    shown = found["result"].get("value") or {"complaint": found.get("exceptionDetails")}
    print(json.dumps({**shown, "complaints": complaints, "asked": asked}), flush=True)
    if picture:
        data = call("Page.captureScreenshot", page, format="png")["data"]
        with open(picture[0] + ".new", "wb") as file:
            file.write(base64.b64decode(data))
        os.rename(picture[0] + ".new", picture[0])
