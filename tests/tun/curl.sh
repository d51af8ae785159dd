#!/bin/sh
# curl against weir-tun http: sizes around every edge, both families, and the manners of HTTP.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need curl python3
begin "$@"

fetch() { curl -sS --fail --noproxy '*' --max-time 60 "$@"; }
get() { fetch -o got "http://$1/$2" && cmp got "site/$2"; }
put() { fetch -o /dev/null -T "$2" "http://$1/up" && cmp "site/up" "$2"; }
# status WANTED WORDS...: the status line of an answer
status() {
    wanted=$1
    shift
    got=$(curl -sS --noproxy '*' --max-time 10 -o /dev/null -w '%{http_code}' "$@")
    echo "$got"
    [ "$got" = "$wanted" ]
}
# raw TEXT WANTED: what one writes by hand, and how the answer begins
raw() {
    python3 - "$V4" "$1" "$2" <<'PY'
import socket, sys
s = socket.create_connection((sys.argv[1], 80), 10)
s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
s.shutdown(socket.SHUT_WR)
got = b""
while True:
    part = s.recv(65536)
    if not part:
        break
    got += part
print(got[:200])
sys.exit(not got.startswith(sys.argv[3].encode()))
PY
}
one_connection() {
    fetch -w '%{num_connects} ' -o 1 "http://$V4/1460" -o 2 "http://$V4/1461" -o 3 "http://$V4/65537" >connects
    cat connects
    [ "$(cat connects)" = "1 0 0 " ] && cmp 1 site/1460 && cmp 2 site/1461 && cmp 3 site/65537
}
ranges() {
    fetch -r 0-9999 -o part1 "http://$V4/65537" && fetch -r 10000- -o part2 "http://$V4/65537" &&
        cat part1 part2 | cmp - site/65537 && fetch -r -7 -o part3 "http://$V4/65537" && tail -c 7 site/65537 | cmp - part3
}
head_only() { fetch -I "http://$V4/65537" | tr -d '\r' | grep -x 'Content-Length: 65537'; }
with_continue() { fetch -H 'Expect: 100-continue' -o /dev/null -v -T site/65537 "http://$V4/up" 2>said && grep '100 Continue' said && cmp site/up site/65537; }
unfinished() {
    raw 'PUT /half HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc' ''
    sleep 0.2
    ls -A site >left
    ! grep -E 'half|part' left
}
many_at_once() {
    for i in 1 2 3 4 5 6 7 8; do
        fetch -o "many.$i" "http://$V4/10485760" &
        pids="${pids:-} $!"
    done
    # shellcheck disable=SC2086 # words
    for p in $pids; do wait "$p" || return 1; done
    for i in 1 2 3 4 5 6 7 8; do cmp "many.$i" site/10485760 || return 1; done
}

sizes='0 1 1459 1460 1461 65535 65536 65537 10485760'
for size in $sizes; do random "site/$size" "$size"; done
ln -s /etc/passwd site/link
start http.log http site
for size in $sizes; do
    check "GET $size IPv4" get "$V4" "$size"
    check "GET $size IPv6" get "[$V6]" "$size"
    check "PUT $size IPv4" put "$V4" "site/$size"
    check "PUT $size IPv6" put "[$V6]" "site/$size"
done
check "three requests over one connection" one_connection
check "ranges" ranges
check "a range beyond the end: 416" status 416 -r 70000- "http://$V4/65537"
check "HEAD" head_only
check "Expect: 100-continue" with_continue
check "eight downloads at once" many_at_once
check "a file that is not there: 404" status 404 "http://$V4/nothing"
check "out of the folder: 403" status 403 --path-as-is "http://$V4/../../etc/passwd"
check "out of the folder, encoded: 403" status 403 --path-as-is "http://$V4/%2e%2e/etc/passwd"
check "an encoded slash: 403" status 403 "http://$V4/..%2fetc%2fpasswd"
check "a symbolic link out of the folder: 403" status 403 "http://$V4/link"
check "PUT out of the folder: 403" status 403 --path-as-is -T site/1 "http://$V4/../up"
check "DELETE: 405" status 405 -X DELETE "http://$V4/1"
check "an unknown method: 501" status 501 -X BREW "http://$V4/1"
check "a chunked upload: 501" status 501 -H 'Transfer-Encoding: chunked' -T site/1460 "http://$V4/up"
check "two lengths: 400" raw 'PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab' 'HTTP/1.1 400'
check "a bare LF: 400" raw 'GET /1 HTTP/1.1\nHost: x\n\n' 'HTTP/1.1 400'
check "no Host: 400" raw 'GET /1 HTTP/1.1\r\n\r\n' 'HTTP/1.1 400'
check "two requests at once" raw 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' 'HTTP/1.1 200'
check "HTTP/1.0" raw 'GET /1 HTTP/1.0\r\n\r\n' 'HTTP/1.1 200'
check "an upload that breaks off leaves nothing" unfinished
check "SIGINT ends it" stop
start http.log http --synthetic 3M --seed 5 --addr6 off
same_twice() { fetch -o a "http://$V4/x" && fetch -o b "http://$V4/y" && cmp a b && [ "$(wc -c <a)" = 3145728 ]; }
synthetic_sum() { [ "$(fetch -T a "http://$V4/a")" = "$(sha256sum <a | cut -c 1-64)" ]; }
check "synthetic octets are the same each time" same_twice
check "a synthetic upload is answered with its sum" synthetic_sum
check "SIGINT ends it" stop
finish
