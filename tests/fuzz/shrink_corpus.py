"""Chooses the few inputs that are kept for a fuzz target: those that reach most of what all reach.

shrink_corpus.py PROGRAM OUTPUT_FOLDER INPUT_FOLDER...

PROGRAM is the libFuzzer program. OUTPUT_FOLDER is emptied first; it may be one of the inputs.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

FILES_MAX = 40
BYTES_MAX = 400


def features_of(program, folders):
    """Input file → the features of the program that it reaches, as libFuzzer's merge finds them."""
    with tempfile.TemporaryDirectory() as scratch:
        control = pathlib.Path(scratch) / "control"
        empty = pathlib.Path(scratch) / "merged"
        empty.mkdir()
        subprocess.run([program, "-merge=1", f"-merge_control_file={control}", empty, *folders],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = control.read_text().splitlines()
    count = int(lines[0])
    names = [pathlib.Path(name) for name in lines[2:2 + count]]
    features = {}
    for line in lines[2 + count:]:
        words = line.split()
        if words[0] == "FT":
            features[names[int(words[1])]] = set(words[2:])
    return features


def choose(features):
    """Greedily, what adds most for its size; large inputs are left out where they can be."""
    left = {name: found for name, found in features.items() if name.stat().st_size <= BYTES_MAX}
    reached = set()
    chosen = []
    while left and len(chosen) < FILES_MAX:
        best = max(left, key=lambda name: (len(left[name] - reached) / (60 + name.stat().st_size),
                                           name.name))
        added = left.pop(best) - reached
        if not added:
            break
        reached |= added
        chosen.append(best)
    return chosen, reached


def main():
    program, output, *folders = sys.argv[1:]
    features = features_of(program, folders)
    chosen, reached = choose(features)
    inputs = [name.read_bytes() for name in chosen]
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    for old in output.iterdir():
        old.unlink()
    for data in inputs:
        (output / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)
    every = len(set().union(*features.values()))
    print(f"{len(inputs)} of {len(features)} inputs reach {len(reached)} of {every} features")


main()
