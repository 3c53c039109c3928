#!/bin/sh
# /bin/poweroff, /bin/halt and /bin/reboot, for those who call them by path: at once, without asking process 1.
case $0 in *reboot) how=reboot ;; *) how=poweroff ;; esac
# The kernel need not say goodbye on the console.
echo 0 >/proc/sys/kernel/printk
sync
$how -f
# Only if the machine cannot be switched off.
while :; do sleep 3600; done
