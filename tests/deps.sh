#!/bin/sh
# Installs the Debian packages that are missing: deps.sh PACKAGE...
# Where none is, neither apt nor root nor a network is needed. What cannot be installed is told as a SKIP: the part that
# needs it will fail or skip by itself.
set -u

# A command of that name from elsewhere does as well, and its package may conflict with Debian's.
is_there() {
	dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii' || command -v "$1" >/dev/null 2>&1
}

install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

missing=
for package; do
	is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "SKIP packages$missing: no apt-get here; install them or what corresponds to them"
elif [ "$(id -u)" -ne 0 ]; then
	echo "SKIP packages$missing: only root can install them; sudo apt-get install$missing"
else
	# Lists may be empty or stale; a second try tells.
	# shellcheck disable=SC2086 # words
	install $missing && exit 0
	apt-get update
	# shellcheck disable=SC2086
	install $missing && exit 0
	for package in $missing; do
		install "$package" || echo "SKIP package $package: apt-get could not install it"
	done
fi
exit 0
