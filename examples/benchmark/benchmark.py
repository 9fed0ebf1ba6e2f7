"""How fast Loyalake is, compared with others at the same work: see README.md."""

import argparse
import tempfile
from pathlib import Path

import fits
import fits_peers
import night
import orders
import simulate
from measure import cores, machine

PARTS = ["orders", "night", "fits"]
CORES = 2
SCALE = [1_000_000, 10_000_000, 30_000_000, 100_000_000]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part",
                        help=f"{', '.join(PARTS)}; all of them when none is named")
    parser.add_argument("--loyalake", default="target/debug/loyalake", help="the command")
    parser.add_argument("--pairs", type=int, default=3, help="measurements, ours and theirs each")
    parser.add_argument("--folder", type=Path, help="where what is simulated is kept",
                        default=Path(tempfile.gettempdir()) / "loyalake_benchmark")
    of_orders = parser.add_argument_group("orders and night")
    of_orders.add_argument("--orders", type=int, nargs="+", default=[30_000_000], metavar="N",
                           help="about how many; several show how time grows")
    of_orders.add_argument("--scale", dest="orders", action="store_const", const=SCALE,
                           help="the same as --orders " + " ".join(map(str, SCALE)))
    of_fits = parser.add_argument_group("fits")
    of_fits.add_argument("--customers", type=int, default=1_000_000)
    of_fits.add_argument("--peer-customers", type=int, metavar="N",
                         help="fit at most the file of N customers, ours and theirs alike")
    of_fits.add_argument("--many-customers", type=int, default=10_000_000,
                         help="for the memory of a fit; 0 leaves it out")
    of_fits.add_argument("--models", nargs="+", default=list(fits_peers.PARAMETERS))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return options


def main():
    options = arguments()
    parts = options.parts or PARTS
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(machine(CORES))
    if "orders" in parts or "night" in parts:
        projects = {count: simulate.orders(options.loyalake, count, options.folder)
                    for count in options.orders}
        with cores(CORES):
            if "orders" in parts:
                orders.compare(options.loyalake, projects, options.pairs)
            if "night" in parts:
                night.compare(options.loyalake, projects, options.pairs)
    if "fits" in parts:
        fits.compare(options.loyalake, options)


if __name__ == "__main__":
    main()
