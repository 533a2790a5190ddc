"""Runs the AWS emulator for as long as whoever started it lives.

Its parent holds the other end of stdin. When that closes, because the parent
asks for the end or has died, the emulator ends too, and the functions with it.
"""

import os
import signal
import sys
import threading

from ministack.app import main


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_parent, daemon=True).start()
main()
