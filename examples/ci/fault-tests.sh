#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# fault-tests.sh DIRECTORY [OPTION...]: for CI. Runs the tests of DIRECTORY with pytest, and writes report.xml (JUnit) here. A runner that
# lacks something for sessions is reported first, with what is missing; a test that cannot run is then a failure and is not skipped.
set -eu
directory=$1
shift
dmuse doctor || {
	echo "fault-tests.sh: sessions are not possible on this runner: see above" >&2
	exit 2
}
pytest --help | grep -q -e --dmuse-require || {
	echo "fault-tests.sh: pytest does not have dmuse's plug-in: 'pip install ./python' in dmuse's source installs it" >&2
	exit 2
}
exec pytest --dmuse-require --junit-xml=report.xml "$directory" "$@"
