#!/usr/bin/env bash
# One sitting: each target in turn, one process at a time. Usage: fuzz/sitting.sh SECONDS [TARGET...]
# Every turn adds a line to fuzz/results.tsv: when, target, executions, processor seconds, edges covered, features,
# inputs in the corpus, findings. What crashes, hangs or asks for too much memory lies in fuzz/artifacts/TARGET/.
set -u
cd "$(dirname "$0")"
seconds=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(forward class_source onnx pickle zip checkpoint legacy tar safetensors picture mask fill options)
folder=${FUZZ_BUILD:-target}/x86_64-unknown-linux-gnu/release
[ -n "${FUZZ_BUILD:-}" ] || cargo +nightly fuzz build || exit 1
TIMEFORMAT='%U %S'
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target" "seeds/$target"
  given=("corpus/$target" "seeds/$target")
  options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=1500 -print_final_stats=1 -artifact_prefix="artifacts/$target/")
  case $target in
    checkpoint) given+=(../tests/hostile/files ../tests/reference/checkpoints) options+=(-max_len=32768 -malloc_limit_mb=256) ;;
    picture | mask) given+=(../tests/hostile/pictures ../tests/reference/canny) ;;
    class_source) given+=(../tests/reference/classes) options+=(-only_ascii=1) ;;
    onnx) given+=(../tests/reference/onnx ../tests/hostile/files) options+=(-max_len=65536 -malloc_limit_mb=1500) ;;
    pickle | zip | tar | legacy | safetensors) options+=(-malloc_limit_mb=256) ;;
  esac
  [ "$target" = tar ] && options+=(-max_len=16384)
  [ -f "dictionaries/$target.dict" ] && options+=(-dict="dictionaries/$target.dict")
  log=$(mktemp)
  spent=$( { time "$folder/$target" "${options[@]}" "${given[@]}" >"$log" 2>&1; } 2>&1 | awk '{ print $1 + $2 }')
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  covered=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -1 | tr -dc '0-9 ' | xargs)
  findings=$(ls "artifacts/$target" | wc -l)
  if [ -z "$executions" ]; then
    # A process that ended by a finding counts as far as it told.
    executions=$(grep -oE '^#[0-9]+' "$log" | tail -1 | tr -d '#')
    cp "$log" "artifacts/$target.log"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$target" "${executions:-0}" "$spent" "${covered// /$'\t'}" "$(ls "corpus/$target" | wc -l)" "$findings" | tee -a results.tsv
  rm "$log"
done
