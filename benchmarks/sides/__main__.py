"""One side in a process of its own, since Brian2's settings are global.

python -m sides TABLE SIDE FOLDER    builds it there
python -m sides TABLE SIDE           runs it here, if its time steps are Python's
"""

import sys
from pathlib import Path

from sides import programs, runtime

if __name__ == "__main__":
    table, name, *folder = sys.argv[1:]
    if folder:
        programs.build(table, name, Path(folder[0]))
    else:
        runtime.run(programs.side_of(table, name))
