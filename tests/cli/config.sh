#!/bin/bash
# Launch documents: TOML and JSON, from a file or a descriptor; precedence; errors with lines; `config check`.
. "$(dirname "$0")/lib.sh"

D=$T/launch.toml

document() {
	cat >"$D"
}

it "takes a launch document in TOML"
mkdir "$T/work"
document <<END
command = ["sh", "-c", "echo \$GREETING; hostname; pwd; ls -d /scratch /data"]
hostname = "from-toml"
workspace = "$T/work"
env = ["GREETING=hello world"]
volume = ["$T/work:/data:ro"]
tmpfs = ["/scratch:size=1M"]
timeout = "30s"
END
nucleus run --config "$D"
status_is 0
out_is $'hello world\nfrom-toml\n/workspace\n/data\n/scratch'

it "takes it in JSON"
document <<END
{ "command": ["sh", "-c", "echo \$GREETING; hostname; exit 3"], "hostname": "from-json", "env": ["GREETING=hi"], "init": true, "pids": 100 }
END
nucleus run --config "$D"
status_is 3
out_is $'hi\nfrom-json'

it "takes it from a descriptor, a pipe or a file"
nucleus run --config-fd 7 7< <(echo 'command = ["echo", "by-pipe"]')
out_is by-pipe
nucleus run --config-fd 7 7< <(echo '{ "command": ["echo", "by-pipe"] }')
out_is by-pipe
echo 'command = ["echo", "by-file"]' >"$D"
nucleus run --config-fd 7 7<"$D"
out_is by-file

it "runs the command of the command line instead of the document's"
nucleus run --config "$D" -- echo by-flag
out_is by-flag

it "lets flags override the document, and the document the defaults"
document <<END
command = ["hostname"]
hostname = "from-document"
END
nucleus run --config "$D"
out_is from-document
nucleus run --config "$D" --hostname from-flag
out_is from-flag
nucleus run --hostname from-flag --config "$D"
out_is from-flag
echo 'command = ["true"]
init = true' >"$D"
nucleus run --init=false --config "$D" --dry-run
status_is 0

it "replaces a list of the document by the same list of flags"
document <<END
command = ["sh", "-c", "echo \${A-none} \$B"]
env = ["A=1", "B=1"]
END
nucleus run --config "$D" -e B=2
out_is 'none 2'

it "names the line, and the nearest key, of an unknown one"
printf 'command = ["true"]\n\nhostnam = "x"\n' >"$D"
nucleus run --config "$D"
status_is 125
err_has "$D:3"
err_has hostname
printf '{\n "command": ["true"],\n "wrkspace": "/x"\n}\n' >"$D"
nucleus run --config "$D"
status_is 125
err_has "$D:3"
err_has workspace

it "names the line of a value that is wrong, a key that comes twice and a syntax error"
for text in $'command = ["true"]\npids = "many"' $'command = ["true"]\ninit = "yes"' $'command = ["true"]\ncommand = ["x"]' \
	$'command = ["true"]\nhostname = ' $'command = ["true"]\n[table' $'command = ["true"]\nenv = "A=1\n' $'command = ["true"]\npids = -1' \
	$'command = ["true"]\nenv = [1]' $'command = ["true"]\npids = 1.5' $'{ "command": ["true"],\n "init": 1 }' \
	$'{ "command": ["true"],\n "command": ["x"] }' $'{ "command": ["true"],\n }' $'{ "command": ["true"]\n } x'; do
	printf '%s\n' "$text" >"$D"
	nucleus run --config "$D"
	status_is 125
	[[ $err == *"$D:2"* || $err == *"$D:3"* ]] || fault "a line should be named: $(told)"
	err_is_ours
done

it "refuses keys that make sense on the command line alone"
for key in config config_fd dry_run format help result_fd strict_agent; do
	printf 'command = ["true"]\n%s = "3"\n' $key >"$D"
	nucleus run --config "$D"
	status_is 125
	err_has ":2"
done

it "refuses what flags refuse, by the same rules"
printf 'command = ["true"]\nvolume = ["/etc:/data"]\n' >"$D"
nucleus run --config "$D"
status_is 125
err_has 'source /etc is refused'
printf 'command = ["true"]\nenv = ["LD_PRELOAD=/x"]\n' >"$D"
nucleus run --config "$D"
status_is 125
printf 'command = ["true"]\nname = "a\\u001b[31mb"\n' >"$D"
nucleus run --config "$D"
status_is 125
err_lacks $'\033'

it "refuses documents that are missing, empty of a command, binary, deep or too large"
nucleus run --config "$T/missing.toml"
status_is 125
err_has 'No such file or directory'
: >"$D"
nucleus run --config "$D"
status_is 125
err_has 'no command to run'
head -c 1000 /dev/urandom >"$D"
nucleus run --config "$D"
status_is 125
err_is_ours
printf 'command = %s%s\n' "$(printf '[%.0s' $(seq 10000))" "$(printf ']%.0s' $(seq 10000))" >"$D"
nucleus run --config "$D"
status_is 125
printf '{"command": %s%s}\n' "$(printf '[%.0s' $(seq 10000))" "$(printf ']%.0s' $(seq 10000))" >"$D"
nucleus run --config "$D"
status_is 125
nucleus run --config "$T"
status_is 125
nucleus run --config "$D" --config-fd 7 7<"$D"
status_is 125

it "checks documents without running anything"
before_it
printf 'command = ["touch", "/tmp/x"]\n' >"$T/good.toml"
printf '{ "hostname": "x" }\n' >"$T/good.json"
printf 'hostname = "x"\nnonsense = 1\n' >"$T/bad.toml"
printf 'volume = ["/etc:/data", "/x:/usr"]\nhome = "/proc"\n' >"$T/rules.toml"
nucleus config check "$T/good.toml" "$T/good.json"
status_is 0
is "$(grep -c ': ok$' <<<"$out")" 2
err_is_empty
nucleus config check "$T/good.toml" "$T/bad.toml"
status_is 1
out_has "$T/good.toml: ok"
err_has "$T/bad.toml:2"
nucleus config check "$T/rules.toml"
status_is 1
err_has '/etc'
err_has '/usr'
err_has '/proc'
nucleus config check "$T/missing.toml"
status_is 1
rm "$T"/good.* "$T"/bad.* "$T"/rules.*
leaves_nothing

it "checks a host file, with its ceilings"
printf '[defaults]\npids = 100\n\n[ceilings]\nmemory = 1G\n' >"$T/host.conf"
nucleus config check "$T/host.conf"
status_is 0
printf '[defaults]\npids = many\n' >"$T/host.conf"
nucleus config check "$T/host.conf"
status_is 1
err_has "$T/host.conf:2"
printf '[ceiling]\nmemory = 1G\n' >"$T/host.conf"
nucleus config check "$T/host.conf"
status_is 1

it "obeys the host file: defaults can be overridden, ceilings cannot be passed"
if [ $WORLD = root ] && [ ! -e /etc/nucleus ]; then
	# Over /etc in a mount namespace of its own.
	cat >"$T/host.sh" <<-'END'
		set -e
		mkdir "$1/etc" "$1/up"
		mount -t tmpfs tmpfs "$1/up"
		mkdir "$1/up/u" "$1/up/w"
		mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/up/u,workdir=$1/up/w" /etc
		mkdir /etc/nucleus
		printf '[defaults]\nhostname = from-host\n[ceilings]\npids = 50\n' >/etc/nucleus/nucleus.conf
		"$2" run -- hostname
		"$2" run --hostname mine -- hostname
		"$2" run --pids 49 -- true && echo below
		"$2" run --pids 51 -- true || echo $?
		chmod 666 /etc/nucleus/nucleus.conf
		"$2" run -- true || echo $?
	END
	unshare --mount --propagation private bash "$T/host.sh" "$T" "$NUCLEUS" >"$T/out" 2>"$T/err" </dev/null
	gather
	if [ -n "$out" ]; then
		out_is $'from-host\nmine\nbelow\n125\n125'
		err_has 'option --pids: 51 is more than the host allows, 50'
		err_has 'others than root may write to it'
	else
		skip "no overlay to put a host file into: $err"
	fi
else
	skip "only root can put a host file into place, and there must be none"
fi

it "prints the plan with --dry-run and does nothing"
before_it
nucleus run --dry-run --workspace "$T/work" --memory 64M -- touch made
status_is 0
for word in stages mounts limits landlock seccomp exec /workspace 67108864; do
	out_has $word
done
fails test -e "$T/work/made"
leaves_nothing
if command -v jq >/dev/null; then
	nucleus run --dry-run --format json --workspace "$T/work" -- touch made
	status_is 0
	is "$(jq -c '[.command, (.stages | length > 10), ([.mounts[] | select(.target == "/workspace")] | length), .limits.pids]' "$T/out")" \
		'[["touch","made"],true,1,512]'
	is "$(jq -r '.stages[-1].name' "$T/out")" exec
fi

finish
