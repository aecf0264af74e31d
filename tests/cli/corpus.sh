#!/bin/sh
# The tools that people use at work, each doing a little of its work INSIDE a sandbox: what must run under the
# default policies. It wants a writable current directory, a writable HOME and /tmp, and a loopback device; the
# rest may be read-only. It needs nothing but the tools it tries.
#
#	corpus.sh [NAME...]	prints "ok NAME", "FAIL NAME: output" or "SKIP NAME: not installed"; status 1 if any failed
#
# A tool is a function try_NAME, run with -e in a directory of its own; "# needs" before it names its programs.

# --- shells and small tools ---------------------------------------------------------------------------------

# needs sh
try_sh() {
	[ "$(echo a b c | while read -r _ y _; do echo "$y"; done)" = b ]
	[ "$(sh -c 'trap "echo caught" USR1; kill -USR1 $$')" = caught ]
	sleep 0.01 & wait $!
	(umask 077; : >private)
	ulimit -n 64
	times >/dev/null
}

# needs bash
try_bash() {
	bash -euc 'coproc cat; echo ping >&"${COPROC[1]}"; read -r -t 5 x <&"${COPROC[0]}"; [[ $x == ping ]]
		mapfile -t lines < <(printf "%s\n" a b c); ((${#lines[@]} == 3))
		trap "exit 0" TERM; kill -TERM $BASHPID; exit 1'
	bash -lc 'set -m; sleep 5 & kill %1; wait %1' || [ $? -eq 143 ]
}

# needs busybox
try_busybox() {
	busybox sh -c 'busybox seq 3 | busybox wc -l'
}

# needs cp install ln mkfifo mknod mktemp mv touch truncate
try_files() {
	touch -d '2001-02-03 04:05:06' old
	[ "$(stat -c %Y old)" -gt 0 ]
	mkdir -p tree/a/b
	ln -s a tree/link
	ln old tree/hard
	chmod 1750 tree/hard # no set-user-ID bit: the sandbox refuses to make one
	cp -a tree copy
	[ -k copy/hard ] && [ -L copy/link ]
	cp --reflink=auto --sparse=always old sparse
	install -m 600 -D old deep/down/file
	mkfifo pipe
	mknod node p
	(echo through >pipe) & [ "$(cat pipe)" = through ]
	rm -r "$(mktemp -d)" "$(mktemp ./XXXXXX)"
	truncate -s 1M big
	mv -n big bigger
	ls -laR --color=always . >/dev/null
	df . >/dev/null
	stat -f . >/dev/null
	du -s . >/dev/null
	sync -f bigger
	chown "$(id -u):$(id -g)" old
	rm -rf copy
}

# needs dd fallocate
try_bulk() {
	dd if=/dev/zero of=zero bs=64k count=16 conv=fsync 2>/dev/null
	fallocate -l 100000 space
	cmp -n 65536 zero /dev/zero
	head -c 1000 /dev/urandom | sha256sum >/dev/null
	split -n 4 zero part.
	cat part.* | tac | tail -c 10 >/dev/null
	shred -n 1 -u space
}

# needs sort cut paste tr uniq join
try_text() {
	seq 100000 | sort -R | sort -n --parallel=2 -S 1M -T . | tail -1 | grep -qx 100000
	printf 'b\na\nb\n' | sort | uniq -c | tr -s ' ' | cut -d' ' -f2 | paste -sd, | grep -qx 1,2
	echo x | tee a b | cat >/dev/null
}

# needs timeout nice nohup env stdbuf
try_processes() {
	timeout 0.1 sleep 5 || [ $? -eq 124 ]
	[ "$(nice -n 5 nice)" -ge 5 ]
	nohup true 2>/dev/null
	env -i A=b /usr/bin/env | grep -qx A=b
	stdbuf -oL echo x >/dev/null
	nproc >/dev/null
	id >/dev/null
	uname -a >/dev/null
	date -u +%s >/dev/null
	uptime >/dev/null 2>&1 || true
}

# needs flock setsid taskset ionice chrt prlimit
try_util_linux() {
	flock lock true
	setsid -w true
	taskset -c 0 true || taskset -p $$ >/dev/null
	ionice -c 3 true
	chrt --idle 0 true
	prlimit --nofile=100 true
	[ ! -d /sys/devices ] || lscpu >/dev/null # it reads /sys, which is empty without --sysfs
	mountpoint / >/dev/null
}

# needs find xargs sed awk grep
try_find() {
	mkdir d
	(cd d && touch 1 2 3)
	find d -type f -newermt 2001-01-01 -print0 | xargs -0 -P 3 -n 1 sh -c 'echo "$1"' - | grep -c . | grep -qx 3
	find d -name 1 -exec rm {} +
	find d -name 2 -delete
	echo one >f
	sed -i s/one/two/ f
	grep -qr two .
	awk 'BEGIN { "echo x" | getline x; print x | "cat"; close("cat"); exit x != "x" }' >/dev/null
}

# needs tar gzip
try_tar() {
	mkdir d
	echo x >d/f
	ln -s f d/link
	tar czf a.tgz --xattrs d
	rm -r d
	tar xpf a.tgz
	[ "$(cat d/link)" = x ]
	gzip -k d/f
	zcat d/f.gz | grep -qx x
}

# needs xz
try_xz() {
	seq 100000 | xz -T2 | xz -dc | tail -1 | grep -qx 100000
}

# needs bzip2
try_bzip2() {
	seq 100 | bzip2 | bzip2 -dc | tail -1 | grep -qx 100
}

# needs zstd
try_zstd() {
	seq 100000 | zstd -T2 | zstd -dc | tail -1 | grep -qx 100000
}

# needs zip unzip
try_zip() {
	echo x >f
	zip -q a.zip f
	unzip -qo a.zip
}

# needs diff patch
try_patch() {
	echo a >a
	echo b >b
	diff -u a b >p || [ $? -eq 1 ]
	patch -s a p
	cmp a b
}

# needs rsync
try_rsync() {
	mkdir from
	echo x >from/f
	rsync -aX from/ to/
	cmp from/f to/f
}

# --- languages ----------------------------------------------------------------------------------------------

# needs perl
try_perl() {
	perl -MSocket -MIO::Select -MPOSIX -MTime::HiRes=setitimer,ITIMER_REAL,sleep -e '
		socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; syswrite $a, "x";
		IO::Select->new($b)->can_read(5) or die;
		my $t = 0; $SIG{ALRM} = sub { $t++ }; setitimer(ITIMER_REAL, 0.01); sleep 0.2; $t or die;
		my $p = fork // die; exec "true" unless $p; waitpid $p, 0; $? and die;
		open my $f, "+>", "f" or die; flock $f, 2 or die; utime 1, 1, "f" or die; mkfifo("q", 0600) or die;
		socket(my $s, AF_INET, SOCK_STREAM, getprotobyname("tcp") // 6) or die;
		bind $s, sockaddr_in(0, INADDR_LOOPBACK) or die; listen $s, 1 or die;'
}

# needs python3
try_python() {
	python3 - <<-'END'
		import asyncio, fcntl, mmap, os, signal, socket, subprocess, tempfile, threading, time
		assert subprocess.run(["cat"], input=b"x", capture_output=True, check=True).stdout == b"x"
		subprocess.run(["true"], start_new_session=True, close_fds=True, check=True)
		n = []
		threads = [threading.Thread(target=n.append, args=(i,)) for i in range(20)]
		[t.start() for t in threads]
		[t.join() for t in threads]
		assert len(n) == 20
		with tempfile.TemporaryFile() as f:
		    f.truncate(4096)
		    fcntl.lockf(f, fcntl.LOCK_EX)
		    mmap.mmap(f.fileno(), 4096)[0] = 1
		signal.signal(signal.SIGALRM, lambda *_: n.append(0))
		signal.setitimer(signal.ITIMER_REAL, 0.01)
		time.sleep(0.1)
		assert len(n) == 21
		async def serve():
		    async def echo(r, w):
		        w.write(await r.readline())
		        w.close()
		    s = await asyncio.start_server(echo, "localhost", 0, family=socket.AF_INET)
		    r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
		    w.write(b"hello\n")
		    assert await r.readline() == b"hello\n"
		    p = await asyncio.create_subprocess_exec("true")
		    assert await p.wait() == 0
		asyncio.run(serve())
		u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		u.bind(("127.0.0.1", 0))
		u.sendto(b"x", u.getsockname())
		assert u.recv(1) == b"x"
		m, s = os.openpty()
		os.write(m, b"x\n")
		assert os.read(s, 2) == b"x\n"
		os.sched_setaffinity(0, os.sched_getaffinity(0))
		os.close(os.memfd_create("x"))
		os.close(os.pidfd_open(os.getpid()))
		os.copy_file_range(os.open("m.txt", os.O_RDWR | os.O_CREAT), os.open("copy", os.O_WRONLY | os.O_CREAT), 10)
		socket.getaddrinfo("localhost", 80)
		socket.if_nameindex()
	END
}

# needs python3
try_python_multiprocessing() {
	cat >m.py <<-'END'
		import multiprocessing as mp
		from multiprocessing import shared_memory
		from concurrent.futures import ProcessPoolExecutor
		def double(x):
		    return 2 * x
		if __name__ == "__main__":
		    for method in "fork", "spawn", "forkserver":
		        with mp.get_context(method).Pool(2) as pool:
		            assert pool.map(double, range(9)) == [2 * x for x in range(9)]
		    with ProcessPoolExecutor(2) as pool:
		        assert sum(pool.map(double, range(9))) == 72
		    m = shared_memory.SharedMemory(create=True, size=10)
		    m.close()
		    m.unlink()
		    q, lock = mp.Queue(), mp.Lock()
		    with lock:
		        q.put(1)
		    assert q.get(timeout=5) == 1
	END
	python3 m.py
}

# needs python3
try_python_sqlite() {
	python3 -c 'import sqlite3; d = sqlite3.connect("d"); d.execute("pragma journal_mode=wal")
d.execute("create table t(x)"); d.execute("insert into t values(1)"); d.commit(); d.close()'
}

# needs python3
try_python_venv() {
	python3 -c 'import ensurepip' 2>/dev/null || return 77
	python3 -m venv v
	v/bin/python -m pip --version
	v/bin/pip list --disable-pip-version-check
}

# needs node
try_node() {
	cat >n.js <<-'END'
		const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
		const assert = require("assert"), fs = require("fs"), http = require("http"), os = require("os");
		const { execFileSync, fork } = require("child_process");
		if (!isMainThread) {
			Atomics.add(new Int32Array(workerData), 0, 1);
			parentPort.postMessage("done");
		} else if (process.argv[2] === "child") {
			process.send("hello");
		} else {
			const shared = new SharedArrayBuffer(4);
			const worker = () => new Promise((ok, bad) =>
				new Worker(__filename, { workerData: shared }).on("error", bad).on("exit", ok));
			(async () => {
				await Promise.all([worker(), worker(), worker()]);
				assert.strictEqual(new Int32Array(shared)[0], 3);
				assert.strictEqual(execFileSync("echo", ["x"]).toString(), "x\n");
				const c = fork(__filename, ["child"]);
				assert.strictEqual(await new Promise((ok) => c.on("message", ok)), "hello");
				const s = http.createServer((q, r) => r.end("y"));
				await new Promise((ok) => s.listen(0, "127.0.0.1", ok));
				const r = await new Promise((ok) => http.get({ host: "127.0.0.1", port: s.address().port }, ok));
				assert.strictEqual(r.statusCode, 200);
				r.resume();
				s.close();
				const seen = new Promise((ok) => { const w = fs.watch(".", () => { w.close(); ok(); }); });
				await fs.promises.writeFile("f", "z");
				await seen;
				await fs.promises.cp("f", "g");
				assert.strictEqual((await fs.promises.readFile("g")).toString(), "z");
				require("crypto").pbkdf2Sync("a", "b", 1000, 16, "sha256");
				os.networkInterfaces();
				os.cpus();
			})().catch((e) => { console.error(e); process.exit(1); });
		}
	END
	node n.js
}

# needs npm
try_npm() {
	export npm_config_cache="$PWD/cache" npm_config_offline=true npm_config_audit=false npm_config_fund=false
	export npm_config_update_notifier=false
	mkdir lib app
	echo '{ "name": "lib", "version": "1.0.0" }' >lib/package.json
	echo 'module.exports = 7' >lib/index.js
	(cd lib && npm pack --silent)
	cd app
	npm init -y >/dev/null
	npm install ../lib/lib-1.0.0.tgz
	node -e 'process.exit(require("lib") === 7 ? 0 : 1)'
	npm pkg set scripts.hello='echo hello'
	npm run hello
}

# needs gcc
try_gcc() {
	cat >t.c <<-'END'
		#include <pthread.h>
		#include <semaphore.h>
		#include <spawn.h>
		#include <stdio.h>
		#include <sys/wait.h>
		static sem_t s;
		static void *run(void *x) { sem_post(&s); return x; }
		int main(void)
		{
			char *argv[] = { "true", NULL };
			pthread_t t[8];
			pid_t pid;
			int status;
			sem_init(&s, 0, 0);
			for (int i = 0; i < 8; i++) pthread_create(&t[i], NULL, run, NULL);
			for (int i = 0; i < 8; i++) { sem_wait(&s); pthread_join(t[i], NULL); }
			if (posix_spawnp(&pid, "true", NULL, NULL, argv, NULL)) return 1;
			return waitpid(pid, &status, 0) != pid || status;
		}
	END
	gcc -pipe -O2 -g -pthread t.c -o t
	./t
	gcc -O2 -flto=2 -pthread t.c -o lto
	gcc -fsanitize=address,undefined -pthread t.c -o asan && ASAN_OPTIONS=detect_leaks=0 ./asan
	gcc -fsanitize=thread -pthread t.c -o tsan && ./tsan
}

# needs g++
try_gxx() {
	cat >t.cc <<-'END'
		#include <filesystem>
		#include <future>
		#include <iostream>
		int main()
		{
			auto f = std::async(std::launch::async, [] { return 42; });
			std::filesystem::create_directories("a/b");
			std::cout << f.get() << '\n';
		}
	END
	g++ -std=c++17 -pthread t.cc -o t
	[ "$(./t)" = 42 ]
}

# needs make
try_make() {
	printf 'all: a b c\na b c:\n\tsleep 0.01; echo $@ >$@\n' >Makefile
	make -j3 -s -O
	make -q
}

# needs cmake make gcc
try_cmake() {
	printf 'cmake_minimum_required(VERSION 3.5)\nproject(p C)\nadd_executable(m m.c)\n' >CMakeLists.txt
	echo 'int main(void) { return 0; }' >m.c
	cmake -S . -B b >/dev/null
	cmake --build b >/dev/null
	b/m
}

# needs cargo
try_cargo() {
	cargo init --vcs none --name hello p
	cd p
	cargo build --offline
	cargo test --offline
	target/debug/hello
}

# needs go
try_go() {
	export GOCACHE="$PWD/cache" GOPATH="$PWD/path" GOFLAGS=-mod=mod GOTOOLCHAIN=local
	cat >m.go <<-'END'
		package main
		import ("fmt"; "io"; "net"; "net/http"; "os/exec")
		func main() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil { panic(err) }
			go http.Serve(l, http.FileServer(http.Dir(".")))
			r, err := http.Get("http://" + l.Addr().String())
			if err != nil { panic(err) }
			io.Copy(io.Discard, r.Body)
			out, err := exec.Command("echo", "x").Output()
			if err != nil { panic(err) }
			fmt.Print(string(out))
		}
	END
	go mod init example.org/m
	go vet .
	go build -o m .
	[ "$(./m)" = x ]
}

# needs javac java
try_java() {
	# Debian's packages have the settings below /etc, of which the sandbox shows little.
	[ -r "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")/conf/security/java.security" ] || return 77
	cat >T.java <<-'END'
		import java.util.stream.*;
		public class T {
			public static void main(String[] a) throws Exception {
				if (IntStream.range(0, 100000).parallel().sum() != 704982704) System.exit(1);
				System.exit(new ProcessBuilder("true").start().waitFor());
			}
		}
	END
	javac T.java
	java -Xmx256m T
}

# needs ruby
try_ruby() {
	ruby -rsocket -e 'Thread.new { }.join; s = TCPServer.new("127.0.0.1", 0)
		TCPSocket.new("127.0.0.1", s.addr[1]); exit IO.popen("echo x").read == "x\n"'
}

# --- data, network, system ----------------------------------------------------------------------------------

# needs git
try_git() {
	export GIT_CONFIG_GLOBAL="$PWD/config"
	git config --global user.email a@example.org
	git config --global user.name A
	git config --global protocol.file.allow always
	git init -q r
	cd r
	for i in 1 2 3; do
		echo $i >f
		git add f
		git commit -qm "commit $i"
	done
	git checkout -qb side HEAD~1
	echo x >g
	chmod +x g
	git add g
	git commit -qm side
	git rebase -q -
	git stash list
	git gc -q --prune=now
	git fsck
	git log --stat -p | cat >/dev/null
	git grep -q x
	git worktree add -q ../w HEAD~1
	git clone -q --no-local . ../c
	git clone -q "file://$PWD" ../d
	cd ../c
	git fetch -q --all
	git submodule --quiet status
	git archive HEAD | tar t >/dev/null
}

# needs sqlite3
try_sqlite() {
	sqlite3 d 'pragma journal_mode=wal; create table t(x); insert into t values(1); vacuum; select x from t' |
		grep -qx 1
	sqlite3 d 'pragma mmap_size=1000000; pragma integrity_check' | grep -qx ok
}

# The server refuses to run as root.
# needs psql
try_postgresql() {
	[ "$(id -u)" -ne 0 ] || return 77
	PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"
	command -v initdb >/dev/null || return 77
	initdb -D db -A trust >/dev/null
	pg_ctl -D db -w -l log -o "-k $PWD -h 127.0.0.1 -p 54321" start >/dev/null || { cat log; return 1; }
	status=0
	psql -h "$PWD" -p 54321 -d postgres -qc 'create table t as select generate_series(1, 100000) x' \
		-c 'vacuum analyze t' || status=1
	psql -h 127.0.0.1 -p 54321 -d postgres -Atc 'select count(*) from t' | grep -qx 100000 || status=1
	pg_ctl -D db -w -m fast stop >/dev/null
	return $status
}

# needs curl python3
try_curl() {
	echo hello >page
	: >server
	python3 -u -m http.server --bind 127.0.0.1 0 >>server 2>&1 &
	server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' server)
		[ -z "$port" ] || break
		sleep 0.3
	done
	status=0
	curl -sS --max-time 10 "http://localhost:$port/page" | grep -qx hello || status=1
	curl -sS --max-time 10 -Z "http://127.0.0.1:$port/page" -o a "http://127.0.0.1:$port/page" -o b || status=1
	kill $server
	return $status
}

# needs openssl
try_openssl() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out cert 2>/dev/null
	: >server
	openssl s_server -accept 127.0.0.1:0 -key key -cert cert -www >>server 2>&1 &
	server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		address=$(sed -n 's/^ACCEPT \(.*:[0-9]*\).*/\1/p' server)
		[ -z "$address" ] || break
		sleep 0.3
	done
	status=0
	printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -quiet -CAfile cert -connect "$address" 2>/dev/null |
		grep -q HTTP || status=1
	kill $server
	openssl rand -hex 8 >/dev/null
	openssl speed -seconds 1 -bytes 1024 -multi 2 sha256 >/dev/null 2>&1
	return $status
}

# needs ssh-keygen
try_ssh() {
	ssh-keygen -q -t ed25519 -N '' -f key
	ssh-keygen -lf key.pub >/dev/null
}

# needs gpg
try_gpg() {
	echo secret >f
	mkdir -m 700 "/tmp/gpg.$$"
	status=0
	GNUPGHOME="/tmp/gpg.$$" gpg --batch --passphrase x --pinentry-mode loopback -c f || status=$?
	GNUPGHOME="/tmp/gpg.$$" gpgconf --kill gpg-agent || true
	rm -rf "/tmp/gpg.$$"
	return $status
}

# needs ps
try_ps() {
	ps aux | grep -q ps
	ps -o pid,comm -p $$ >/dev/null
}

# needs pgrep pkill free top
try_procps() {
	free >/dev/null
	top -bn1 >/dev/null
	sleep 7.5 &
	pgrep -f 'sleep 7\.5' >/dev/null
	pkill -f 'sleep 7\.5'
}

# Tracing is refused, and strace must say so and end instead of hanging or being killed.
# needs strace
try_strace() {
	status=0
	strace true >out 2>&1 || status=$?
	[ $status -lt 128 ] && grep -q 'not permitted' out
}

# needs script
try_script() {
	script -qec 'test -t 0 && stty -a' typescript </dev/null | grep -q speed
}

# needs dpkg dpkg-deb
try_dpkg() {
	mkdir -p p/DEBIAN
	printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n' >p/DEBIAN/control
	dpkg-deb -b p p.deb >/dev/null
	dpkg-deb -x p.deb out
	dpkg -l >/dev/null
}

# needs apt-get apt-cache
try_apt() {
	apt-get -s -o Debug::NoLocking=1 check >/dev/null
	apt-cache policy >/dev/null
}

# --- the walker ---------------------------------------------------------------------------------------------

script=$0
passed=0 failed=0 skipped=0
base=$(pwd)/corpus.$$

run() {
	name=$1
	shift
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "SKIP $name: not installed"
			skipped=$((skipped + 1))
			return
		}
	done
	mkdir -p "$base/$name"
	(
		cd "$base/$name" || exit 1
		set -e
		"try_$name"
	) >"$base/$name.out" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $name"
		passed=$((passed + 1))
	elif [ $status -eq 77 ]; then
		echo "SKIP $name: not there, or not as it has to be, for this user"
		skipped=$((skipped + 1))
	else
		echo "FAIL $name: status $status: $(tail -n 20 "$base/$name.out")"
		failed=$((failed + 1))
	fi
}

mkdir "$base" || exit 1
while read -r first second tools; do
	case $first$second in
	'#needs') needs=$tools ;;
	'try_'*'(){')
		name=${first#try_}
		name=${name%'()'}
		# shellcheck disable=SC2086 # words
		case " ${*:-$name} " in
		*" $name "*) run "$name" $needs ;;
		esac ;;
	esac
done <"$script"
chmod -R u+rwx "$base" 2>/dev/null
rm -rf "$base"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
