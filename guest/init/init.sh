#!/bin/sh
# /init of the default guest: the first program, process 1. It makes a bare kernel habitable, starts a shell (or the
# one command that lguest was asked to run), and switches the machine off when that ends.
#
# lguest talks to it through ports of a virtio console, if there are any (docs/default-guest.md):
#
#   guest to lguest: size ROWS COLUMNS    of the terminal, as it has arrived
#                    ready VERSION        listening
#                    exit STATUS          the shell or command has ended; the machine will be off in a moment
#   lguest to guest: shell BYTES          a shell on the console
#                    run BYTES            one command, its streams on lguest.stdin, .stdout and .stderr
#
# BYTES of shell text follow: environment, and the command as positional parameters. Without ports: a shell.

export PATH=/bin HOME=/root USER=root LOGNAME=root SHELL=/bin/sh TERM=linux
umask 022

# As few programs as possible: each one costs an emulated processor some ten milliseconds.
mount_all() {
  mount -t devtmpfs dev /dev
  cp -a /usr/share/lguest/dev/. /dev
  mount -a
  mkdir /run/lguest
}

# load_drivers BUS PATTERN: a module for every device of the bus whose alias matches.
load_drivers() {
  for device in /sys/bus/"$1"/devices/*; do
    [ -e "$device/modalias" ] && [ ! -e "$device/driver" ] || continue
    read -r alias <"$device/modalias"
    case $alias in $2) modprobe -q "$alias" ;; esac
  done
}

# Whether a virtio console has ports: device type 3, feature bit 1 (virtio 1.0, 5.3.3).
has_ports() {
  for device in /sys/bus/virtio/devices/*; do
    [ -e "$device/features" ] || continue
    read -r type <"$device/device"
    read -r features <"$device/features"
    case $type$features in 0x0003?1*) return 0 ;; esac
  done
  return 1
}

# find_port NAME: sets $port to the device node of that name; false, and empty, if there is none (yet).
find_port() {
  port=
  for file in /sys/class/virtio-ports/*/name; do
    [ -e "$file" ] || continue
    read -r name <"$file"
    [ "$name" = "$1" ] || continue
    file=${file%/name}
    port=/dev/${file##*/}
    return 0
  done
  return 1
}

# end STATUS: says so and switches off. Never returns.
end() {
  [ -n "$control" ] && echo "exit $1" >&3
  /bin/poweroff
}

# busybox poweroff, halt and reboot ask process 1, which hears it when the shell or command has ended. The functions
# in /etc/profile do not wait. The path matters: a name alone is busybox's own.
trap /bin/poweroff USR1 USR2
trap /bin/reboot TERM

# The shell runs in the foreground, although process 1 then hears no signals: what a shell starts in the background
# ignores Ctrl-C, and so would everything below it.
start_shell() {
  setsid -c sh -l <&7 >&7 2>&7 3<&- 7<&-
  end $?
}

# run_command WORD...: standard streams are pipes, because a port can be opened only once, and programs like to
# open /dev/stderr.
run_command() {
  find_port lguest.stdin && exec 4<"$port"
  find_port lguest.stdout && exec 5>"$port"
  find_port lguest.stderr && exec 6>"$port"
  cd /run/lguest
  mkfifo stdin stdout stderr
  exec 7<&-
  cat <&4 >stdin 3<&- 5<&- 6<&- &
  cat <stdout >&5 3<&- 4<&- 6<&- & out=$!
  cat <stderr >&6 3<&- 4<&- 5<&- & err=$!
  setsid sh -c 'cd; exec "$@"' sh "$@" <stdin >stdout 2>stderr 3<&- 4<&- 5<&- 6<&-
  result=$?
  # Whoever is left may hold the pipes open; what is in them is still delivered.
  for process in /proc/[0-9]*; do
    case ${process#/proc/} in 1 | $out | $err) ;; *) kill -9 "${process#/proc/}" 2>/dev/null ;; esac
  done
  # A command that could not be started has not opened them, and whoever reads them waits for somebody who does.
  : <>stdout
  : <>stderr
  wait $out $err
  end "$result"
}

mount_all
echo guest >/proc/sys/kernel/hostname
ip link set lo up
# virtio's vendor number: our boards have no other devices that need a module.
load_drivers pci 'pci:v00001AF4*'
load_drivers virtio '*'

verb=shell
port= control= console=/dev/console
if has_ports; then
  # Ports are announced one after the other, ours last. Another machine's console may have other ports, or none.
  tries=500
  until find_port lguest.control || [ $((tries -= 1)) -eq 0 ]; do usleep 10000; done
  control=$port
fi
for device in /dev/hvc0 /dev/ttyS0; do
  [ -c "$device" ] && { console=$device; break; }
done
# Open from here on: when the last one closes a terminal, what was typed ahead is lost.
exec 7<>"$console"
if [ -n "$control" ]; then
  exec 3<>"$control"
  # Kernels disagree about the order in which a size comes, so we say what has arrived.
  echo "size $(stty size <&7 2>/dev/null)" >&3
  echo 'ready 1' >&3
  read -r verb bytes <&3
  head -c "${bytes:-0}" <&3 >/run/lguest/request
  . /run/lguest/request
fi

cd "$HOME"
case $verb in
  run) run_command "$@" ;;
  *) start_shell ;;
esac
