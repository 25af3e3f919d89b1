# Sourced by the scripts that build: what they say, and the Debian packages they need.

step() { echo "== $*"; }
fail() { echo "$(basename "$0"): $*" >&2; exit 2; }

# Installs the Debian packages that are missing.
need() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' \
            || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]}"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        || fail "needs the Debian packages ${missing[*]}"
}
