# Runs a command that must not outlive whoever started it.
#
# The standard input is a pipe whose other end only the owner holds. When it closes, because the owner
# let go or because it died in whatever way, the command's process group gets the signal STOP and, ten
# seconds later, the command is killed. This shell leads the process group.
set -u
exec 3<&0
trap : TERM INT
"$@" </dev/null 3<&- &
child=$!
(
    trap : TERM INT
    while IFS= read -r _ <&3; do :; done
    kill -s "$KEEP_STOP" -- -$$
    tenths=0
    while [ "$tenths" -lt 100 ] && kill -s 0 "$child" 2>/dev/null; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -s KILL "$child" 2>/dev/null
) &
watch=$!
status=0
# A signal for the group interrupts the wait; the command may live on.
while :; do
    wait "$child" 2>/dev/null
    status=$?
    kill -s 0 "$child" 2>/dev/null || break
done
kill -s KILL "$watch" 2>/dev/null
# Whatever the command itself left running.
kill -s TERM -- -$$
[ -z "$KEEP_SCRATCH" ] || rm -rf -- "$KEEP_SCRATCH"
exit "$status"
