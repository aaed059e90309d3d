"""Times openSMILE on sounds in memory: prints its version, then a line of seconds for every line read.

Arguments: a configuration, one of a sink, and a file of sounds: each a 32-bit count of samples and
so many 16-bit samples at 16 kHz. Only openSMILE's own run over each sound is timed, not the reading
of its configuration and nothing of Python.
"""

import importlib.metadata
import os
import struct
import sys
import time

import opensmile
from opensmile.core.config import config as names

configuration, sink, file = sys.argv[1:]
smile = opensmile.Smile(feature_set=configuration, feature_level="features")
options = smile._options()
options["source"] = os.path.join(smile.default_config_root, names.EXTERNAL_INPUT_CONFIG)
options["sink"] = sink
options["sampleRate"] = 16000
options["nBits"] = 16

sounds = []
with open(file, "rb") as stream:
    while head := stream.read(4):
        sounds.append(stream.read(2 * struct.unpack("<I", head)[0]))


def seconds(sound):
    run = smile._smile(options=options)
    run.external_audio_source_write_data(names.EXTERNAL_SOURCE_COMPONENT, sound)
    run.external_audio_source_set_eoi(names.EXTERNAL_SOURCE_COMPONENT)
    started = time.perf_counter()
    run.run()
    taken = time.perf_counter() - started
    run.free()
    return taken


print(importlib.metadata.version("opensmile"), flush=True)
for _ in sys.stdin:
    print(sum(map(seconds, sounds)), flush=True)
