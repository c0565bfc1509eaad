#!/usr/bin/env python3
"""A file server for the download tests: `server.py FOLDER` prints its port and serves until its standard input closes.

/range/NAME   with byte ranges          /plain/NAME   without: always the whole file
/cut/NAME     half of it, then the connection breaks; the rest when asked for a range
/wrong/NAME   answers a range with another one
"""
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        mode, name = self.path.strip("/").split("/")[-2:]
        path = os.path.join(folder, os.path.basename(name))
        if not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as file:
            body = file.read()
        asked = self.headers.get("Range")
        with open(os.path.join(folder, "requests.log"), "a") as log:
            log.write(f"{mode} {asked}\n")
        start = 0
        if asked and mode != "plain":
            start = int(asked.split("=")[1].rstrip("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            first = start + (1 if mode == "wrong" else 0)
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body) // 2 if mode == "cut" and not asked else len(body)
        self.wfile.write(body[start:end])
        self.wfile.flush()
        self.close_connection = True


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
