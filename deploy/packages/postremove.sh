#!/bin/sh
# dpkg calls it with "remove", "purge" and others, rpm with the number of versions that are left. The user stays: files may be its own.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
case "$1" in
purge) rm -rf /var/lib/errno_exporter /var/lib/private/errno_exporter ;;
esac
