#!/bin/sh
# As an ordinary user: with a /dev/net/tun that is open to all everything works, with one that is not one line says so (77).
# Needs root to become such a user; the device that is open to all is one of a mount namespace of its own.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || [ -n "${WEIR_INSIDE:-}" ] || cannot "needs root to become an ordinary user"
need setpriv unshare curl mknod
begin "$@"
[ "$(tr -s ' ' </proc/self/uid_map)" = " 0 0 4294967295" ] || cannot "needs root outside of a user namespace"

# A /dev of our own. as_user MODE WORDS...: the words as nobody, where /dev/net/tun has that mode.
as_user() {
    mode=$1
    shift
    cp "$weir" weir-tun
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mkdir -p devices && mount -t tmpfs none devices && mknod -m "$0" devices/tun c 10 200 &&
        mount --bind devices/tun /dev/net/tun && exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"' \
        "$mode" "$@"
}
demo() { TMPDIR=$work as_user 666 "$work/weir-tun" demo --quick; }
serves() {
    random site/file 1M
    # shellcheck disable=SC2016
    as_user 666 "$work/weir-tun" http -q --unshare site -- \
        sh -c 'id -u; curl -sS --fail --noproxy "*" -o site/got "http://$WEIR_ADDR/file" && curl -sS --fail --noproxy "*" -T site/got "http://[$WEIR_ADDR6]/up"' &&
        cmp site/got site/file && cmp site/up site/file
}
# shellcheck disable=SC2016
linked() {
    random site/file 1M
    as_user 666 "$work/weir-tun" link -q --delay 5ms --left-socket --left "exec $work/weir-tun http -q site --fd \$WEIR_FD --one-off" \
        --right 'exec curl -sS --fail --noproxy "*" --retry 5 --retry-connrefused --max-time 20 -o site/got http://$WEIR_PEER/file' &&
        cmp site/got site/file
}
doctor_fine() { as_user 666 "$work/weir-tun" doctor; }
doctor_not() {
    as_user 600 "$work/weir-tun" doctor >out
    code=$?
    cat out
    [ "$code" = 77 ] && grep -q '^no  tun-device.*chmod' out
}
one_line() {
    as_user 600 "$work/weir-tun" "$@" >out 2>err
    code=$?
    echo "ended with $code: $(cat out err)"
    [ "$code" = 77 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q '/dev/net/tun.*; ' err
}

as_user 666 sh -c 'unshare -rn true' 2>/dev/null || cannot "ordinary users can make no namespaces here"
check "the demo as an ordinary user" demo
check "files served and sent as an ordinary user" serves
check "doctor finds it fine" doctor_fine
check "doctor says what is wrong where the device is closed" doctor_not
check "a link as an ordinary user" linked
check "where the device is closed the demo says so in one line" one_line demo
check "and so does echo" one_line echo --unshare
check "and so does link" one_line link --left true
finish
