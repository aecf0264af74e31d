#!/bin/bash
# Runs the tests inside the VM; the one unit that run.sh adds to the system starts it, as root. Each test-*.sh runs once for
# each world named at its head, in a login session of its own, made by PAM and logind as a login by ssh is: a session scope
# that is not delegated, XDG_RUNTIME_DIR, a user manager with its bus beside it.
#
#	# worlds: root user
#	# wanted-by: what has to come before this can pass; until then it runs only where it is asked for
#
# The last line is "EXIT N".
set -u
export LC_ALL=C
. /etc/nucleus-vm

copy=/opt/nucleus-vm
passed=0 failed=0 skipped=0

mkdir -p "/home/$VM_USER"
chown -R "$VM_USER:" "/home/$VM_USER"
chmod 700 "/home/$VM_USER"
chmod 600 /etc/shadow

# login NAME COMMAND...: as that user, in a session; its status is the command's.
login() {
	local name=$1

	shift
	systemd-run --quiet --wait --collect --pipe -p User="$name" -p PAMName=nucleus-vm -p WorkingDirectory='~' \
		-E LC_ALL=C -E NUCLEUS="$copy/nucleus" -E PROBE="$copy/probe" -E TERM=dumb -E VM_USER="$VM_USER" -- "$@" 2>&1
}

# run_test FILE WORLD
run_test() {
	local name=${1##*/test-} world=$2 who=root line bad=0 status=lost start=$SECONDS

	name=${name%.sh}
	[ "$world" = root ] || who=$VM_USER
	while read -r line; do
		case $line in
		'STATUS '*) status=${line#STATUS }; continue ;;
		ok*'# SKIP '*) skipped=$((skipped + 1)) ;;
		'ok '*) passed=$((passed + 1)) ;;
		'not ok '*) bad=$((bad + 1)) ;;
		1..*) continue ;;
		esac
		printf '[%s %s] %s\n' "$world" "$name" "$line"
	done < <(login "$who" timeout -k 5 240 bash "$1"; echo "STATUS $?")
	if [ "$status" != 0 ] && [ $bad -eq 0 ]; then
		bad=1
		printf '[%s %s] not ok - the file runs to its end (status %s)\n' "$world" "$name" "$status"
	fi
	failed=$((failed + bad))
	printf '# [%s %s] took %d s\n' "$world" "$name" $((SECONDS - start))
}

wanted() {
	local name=${1##*/test-}

	if [ -n "$VM_TESTS" ]; then
		[[ " $VM_TESTS " == *" ${name%.sh} "* ]]
	else
		[ -n "$VM_ALL" ] || ! grep -q '^# wanted-by:' "$1"
	fi
}

printf '# Linux %s, %s, up %s s\n' "$(uname -r)" "$(systemctl --version | head -n1)" "$(cut -d. -f1 /proc/uptime)"
for test in "$copy"/tests/vm/test-*.sh; do
	if ! wanted "$test"; then
		[ -n "$VM_TESTS" ] || printf '# not run: %s, wanted by: %s\n' "${test##*/}" "$(sed -n 's/^# wanted-by: //p' "$test")"
		continue
	fi
	for world in $(sed -n 's/^# worlds: //p' "$test"); do
		run_test "$test" "$world"
	done
done
[ $failed -eq 0 ] || journalctl -b -q -p err --no-pager -o cat | head -n 50 | sed 's/^/# journal: /'
printf '# up %s s\n' "$(cut -d. -f1 /proc/uptime)"
printf 'vm: %d passed, %d failed, %d skipped\n' $passed $failed $skipped
# No test at all is no success.
[ $failed -eq 0 ] && [ $passed -gt 0 ]
status=$?
echo "EXIT $status"
exit $status
