"""A terminal to measure: the device build on a board of real drivers, as far as a computer without pins has them.

A production configuration, as on a device: display in memory, 800 x 480, and a serial scanner on a pseudo-terminal. There
are no pins here, so no keypad, relay or lamp. The gateway's name cannot be resolved; nothing calls it while idle. The
keys are the marked test keys of the tree. Python's standard library only.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tty

TREE = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target"))
DEVICE_BUILD = TARGET / "dist" / "till"

CONFIG = """
[terminal]
id = "VM-0001"
merchant = "示例饮料店"
support = "400-000-0000"
[journal]
path = "till.db"
[api]
socket = "till.sock"
[channels.alipay]
gateway_url = "https://gateway.invalid/gateway.do"
app_id = "2021000000000000"
private_key_file = "app_private_key.pem"
public_key_file = "alipay_public_key.pem"
"""

BOARD = """
name = "A computer without pins"
[display]
kind = "memory"
width = 800
height = 480
[scanner]
kind = "serial"
path = "{scanner}"
"""


class Terminal:
    """The files of a terminal in a folder of their own; `start` runs a daemon on them."""

    def __init__(self, program=DEVICE_BUILD, journal=None, folder=None):
        if not pathlib.Path(program).exists():
            sys.exit(f"{program} is missing: cargo build --profile dist --no-default-features")
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="till-measure-", dir=folder))
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.write("till.toml", CONFIG)
        self.write("board.toml", BOARD.format(scanner=os.ttyname(self.slave)))
        vectors = json.loads((TREE / "payment/tests/vectors/alipay.json").read_text(encoding="utf-8"))
        self.write("app_private_key.pem", vectors["keys"]["app"]["pkcs8_pem"])
        self.write("alipay_public_key.pem", vectors["keys"]["alipay"]["public_spki_pem"])
        if journal:
            shutil.copy(journal, self.folder / "till.db")
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(self.folder / "notify.sock"))
        self.told.settimeout(30)
        self.daemon = None

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def start(self):
        """Starts the daemon and waits for READY=1. Returns the seconds between."""
        command = [self.program, "run", "--config", self.folder / "till.toml", "--board", self.folder / "board.toml"]
        environment = {
            "NOTIFY_SOCKET": str(self.folder / "notify.sock"),
            "STATE_DIRECTORY": str(self.folder),
            "RUNTIME_DIRECTORY": str(self.folder),
            # As in systemd/till.service.
            "WATCHDOG_USEC": "60000000",
        }
        with open(self.folder / "log", "ab") as log:
            begin = time.perf_counter()
            self.daemon = subprocess.Popen(command, env=environment, stderr=log)
        while True:
            try:
                message = self.told.recv(4096)
            except TimeoutError:
                sys.exit("not ready after 30 s:\n" + (self.folder / "log").read_text(encoding="utf-8"))
            if b"READY=1" in message.split(b"\n"):
                return time.perf_counter() - begin

    def stop(self):
        """SIGTERM, and waits for the end."""
        self.daemon.terminate()
        self.daemon.wait()
        self.told.setblocking(False)
        try:
            while self.told.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.told.settimeout(30)

    def remove(self):
        """Removes the folder."""
        shutil.rmtree(self.folder)
