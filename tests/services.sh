#!/usr/bin/env bash
# Makes sure that the servers which the tests start themselves are installed. On a Debian machine and as root it
# installs what is missing; elsewhere it says what to install. Nothing needs to be running.
set -euo pipefail

packages=()
need() { # need PACKAGE PROGRAM...: one of the programs must exist
    local package=$1 program
    shift
    for program in "$@"; do
        if [ -x "$(command -v "$program" || true)" ]; then return; fi
    done
    packages+=("$package")
}
PATH="$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin$(printf ':%s' /usr/lib/postgresql/*/bin)"
need redis-server redis-server
need rabbitmq-server rabbitmq-server
need postgresql postgres
need openssl openssl
need nginx-light nginx
need chromium chromium chromium-browser google-chrome

if [ ${#packages[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need these programs, please install them: ${packages[*]}" >&2
    exit 1
fi

# Debian starts a service when it is installed, unless this file says no.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
