"""Build one side in a process of its own: python -m sides.networks SIDE NETWORK SCALE SECONDS FOLDER."""

import sys
from pathlib import Path

from sides.networks import programs

if __name__ == "__main__":
    side, network, scale, seconds, folder = sys.argv[1:]
    programs.build(side, network, float(scale), float(seconds), Path(folder))
