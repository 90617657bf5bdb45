#!/bin/sh
# usage: backup.sh FOLDER KEEP
# Backs BACKROOM_STORE up into a file of today, verifies it, and then removes all but the newest KEEP files.
set -eu
file="$1/backroom-$(date -u +%F).db"
backroom backup --quiet --replace "$file"
backroom verify "$file"
ls "$1"/backroom-????-??-??.db | sort -r | tail -n "+$(($2 + 1))" | xargs -r rm --
