#!/usr/bin/env bash
# The stripped device binary: its size, and that no sandbox is in it. Builds it when cargo finds it missing or old.
# Usage: benches/measure/size.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

ceiling=7000000
if cargo tree --no-default-features --edges normal --prefix none | grep -q '^sandbox '; then
  echo "sandbox is a dependency of the device build" >&2
  exit 1
fi
cargo build --quiet --profile dist --no-default-features
program="${CARGO_TARGET_DIR:-target}/dist/till"
# Only the real gateway answers here, and only the sandbox asks like a phone.
for word in 'Control::' sandbox::alipay sandbox/src till-demo 'demo/'; do
  if grep -aq "$word" "$program"; then
    echo "the device build has \"$word\" in it" >&2
    exit 1
  fi
done
if "$program" demo --help >/dev/null 2>&1; then
  echo "the device build has the command demo" >&2
  exit 1
fi
size=$(stat -c %s "$program")
echo "stripped device binary: $size bytes (ceiling $ceiling); no sandbox in it"
size --format=sysv "$program" 2>/dev/null | sort -k2 -n -r | sed -n 2,6p || true
[ "$size" -le "$ceiling" ]
