#!/usr/bin/env bash
# Copyright (c) 2026 The gluonzoo authors
# Licensed under the Apache License, Version 2.0; see the file LICENSE.
#
# Builds MXNet from source with gluonzoo's operators in it. `bash build.sh --help` is the manual.
#
# Everything is checked before anything is touched: die (exit 2) belongs to the checks, failed (exit 1) to the steps.
set -euo pipefail
unset CDPATH   # it would make cd go elsewhere and print where

REPO=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly REPO
readonly COMMAND=(bash "${BASH_SOURCE[0]}")
readonly OPTIONS=("$@")

readonly MXNET_URL=https://github.com/apache/mxnet.git
readonly MXNET_TAG=1.9.1
readonly OPERATORS_DIR=src/operator/contrib
readonly MARKER='The gluonzoo authors'   # every operator source says so: it tells our files from MXNet's and the user's

# Disk, in MB. CUDA is an estimate: every architecture adds a copy of every kernel.
readonly CPU_BUILD_MB=3000 CUDA_BUILD_MB=12000 REBUILD_MB=500 CLONE_MB=500
readonly JOB_MB=2000   # memory that the compiler takes for one of the larger files
readonly CUDA_11_ARCHS='5.0;6.0;7.0;8.0+PTX' CUDA_13_ARCHS='7.5;8.0+PTX'
readonly INTGEMM_OPTIONS=gluonzoo-intgemm.cmake CUDA_LANGUAGE=gluonzoo-cuda.cmake   # in the build directory

# Options.
SOURCE=''
CUDA=''
ARCHS=''
JOBS=''
PYTHON=''
EXTRA=()
INSTALL=true
UNPATCH=false
DRY_RUN=false

# What the checks find out.
OPERATORS=()    # the file names of our operator sources
TREE=''         # the MXNet source tree, an absolute path
CLONE=false     # it is not there yet
LINE=''         # 1.9.1 or 2.0
SUBMODULES=()
GENERATOR=()    # for cmake
FEATURES=()     # for cmake
NVCC=''         # an absolute path; with --cuda only
CUDA_MAJOR=''   # its version

SCRATCH=''
PATCHED=false

usage() {
  cat <<'END'
Usage: bash build.sh [options] [-- CMAKE_ARGUMENT...]

Builds MXNet with gluonzoo's operators (top_pool, bottom_pool, left_pool, right_pool) compiled in, installs it into the
active Python environment in place of the stock wheel, and runs unittests/test_pool.py on it.

Where MXNet comes from
  --source DIR     an MXNet source tree with its submodules. Without it: the environment variable MXNET_HOME; without
                   both: ./mxnet, cloned from https://github.com/apache/mxnet.git (tag 1.9.1) if it is not there.
                   Known are 1.9.1 and the 2.0 development line while it had hybrid_forward (commit de510582).

What is built
  --cpu            without CUDA (default)
  --cuda [ARCHS]   with CUDA, for the compute capabilities ARCHS, such as 7.5 or 7.0,8.6+PTX. Without ARCHS: those of
                   the GPUs that nvidia-smi shows. Where it shows none: MXNet's Common with CUDA 10 or older; 5.0, 6.0,
                   7.0 and 8.0 with PTX with CUDA 11 and 12, which have dropped the 3.0 that MXNet counts as Common; 7.5
                   and 8.0 with PTX with CUDA 13, which has dropped what is older.
                   The environment variable CUDACXX names the nvcc. Without it: the one in PATH, or
                   /usr/local/cuda/bin/nvcc. A build directory stays with the nvcc it was made with.
  --jobs N         compile N files at a time (default: one a core, at most one for every 2 GB of available memory)
  -- ARGUMENT...   the rest goes to CMake after our own settings and overrules them:
                   -- -DUSE_OPENCV=OFF   -- -DUSE_BLAS=mkl   -- -DCMAKE_PREFIX_PATH=/opt/openblas
  OpenCV, LAPACK and the distributed kvstore are ON when what they need is found; when it is not, they are OFF and a
  line says so. ccache and Ninja are used when present. Run again, it compiles only what has changed.

Where it goes
  --python PATH    the Python to install into (default: the active `python`); 3.9 to 3.12, with pip
  --no-install     stop when libmxnet.so is built
  Python imports MXNet from the source tree (an editable installation), so keep the tree. An installed mxnet wheel is
  replaced, mxnet-cu112 and its like are removed, NumPy is kept below 2.
  On the 2.0 line gluonzoo itself is not installed (it is made for 1.9.1): each operator is tried once instead.

Other
  --unpatch        take the operator sources out of the tree, and nothing else; it is then as it was before. Ours are
                   the files in src/operator/contrib that say "The gluonzoo authors"; no other is written or removed.
  --dry-run        print every step, change nothing
  --help           this text

CUDA: MXNet 1.9.1 carries build settings and test images for CUDA 10.0, 10.1, 10.2, 11.0 and 11.2 and is compiled as
C++11. The headers of CUDA 12 warn of that; those of CUDA 13 refuse all below C++17, so it needs
  NVCC_APPEND_FLAGS=-std=c++17 bash build.sh --cuda
The operators compile so with CUDA 13.0; the whole of MXNet was not tried. The 2.0 line stops at 10.2: it puts its own,
older CUB before the one of CUDA 11, whose headers refuse that.

Exit codes: 0 done; 1 a step failed, the tree stays patched, the same command goes on where it stopped; 2 something is
missing or wrong, nothing has been touched.
END
}

# -- words -------------------------------------------------------------------------------------------------------------

say() { printf 'build.sh: %s\n' "$*"; }

die() {
  say "$*" >&2
  exit 2
}

failed() {
  local advice
  advice="run again: $(quoted "${COMMAND[@]}" "${OPTIONS[@]}")"
  if "$PATCHED"; then
    advice="the operators stay in the tree. To go on where it stopped, $advice. To take them out:"
    advice+=" $(quoted "${COMMAND[@]}" --unpatch --source "$TREE")"
  fi
  say "$1; $advice" >&2
  exit 1
}

quoted() {
  local words
  printf -v words '%q ' "$@"
  printf '%s' "${words% }"
}

# Every command that changes something goes through here, so that --dry-run is true.
run() {
  printf '+ %s\n' "$(quoted "$@")"
  "$DRY_RUN" || "$@"
}

has() { type -P -- "$1" >/dev/null; }

# -- options -----------------------------------------------------------------------------------------------------------

parse_options() {
  while (($#)); do
    case $1 in
      --source | --jobs | --python)
        if (($# < 2)) || [[ -z $2 ]]; then die "$1 needs a value"; fi
        ;;
    esac
    case $1 in
      --) EXTRA=("${@:2}") && break ;;
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
      --source) SOURCE=$2 && shift ;;
      --jobs) JOBS=$2 && shift ;;
      --python) PYTHON=$2 && shift ;;
      --cpu) choose_device false ;;
      --cuda)
        choose_device true
        if (($# > 1)) && [[ $2 != -* ]]; then ARCHS=$2 && shift; fi
        ;;
      --no-install) INSTALL=false ;;
      --unpatch) UNPATCH=true ;;
      --dry-run) DRY_RUN=true ;;
      --help | -h) usage && exit 0 ;;
      *) die "unknown option: $1 (bash build.sh --help lists them)" ;;
    esac
    shift
  done
  check_options
  CUDA=${CUDA:-false}
  ARCHS=${ARCHS//[, ]/;}
}

choose_device() {
  if [[ -n $CUDA && $CUDA != "$1" ]]; then die '--cpu and --cuda exclude each other'; fi
  CUDA=$1
}

check_options() {
  if [[ -n $JOBS && ! $JOBS =~ ^[1-9][0-9]*$ ]]; then die "--jobs: $JOBS is not a positive whole number"; fi
  if [[ -n $PYTHON ]] && ! "$INSTALL"; then die '--python means nothing with --no-install'; fi
  if "$UNPATCH" && { [[ -n $CUDA$JOBS$PYTHON${EXTRA[*]-} ]] || ! "$INSTALL"; }; then
    die '--unpatch goes with --source and --dry-run only'
  fi
}

# Whether the user has set this CMake variable after --.
is_chosen() {
  local argument
  for argument in "${EXTRA[@]}"; do
    [[ $argument != "-D$1="* && $argument != "-D$1:"* ]] || return 0
  done
  return 1
}

# -- the tree ----------------------------------------------------------------------------------------------------------

locate_tree() {
  local dir=${SOURCE:-${MXNET_HOME:-}}
  if [[ -z $dir && ! -e mxnet ]]; then
    TREE=$PWD/mxnet
    CLONE=true
    return
  fi
  dir=${dir:-mxnet}
  [[ -d $dir ]] || not_mxnet "$dir" 'no such directory'
  TREE=$(cd -- "$dir" && pwd)
}

not_mxnet() { # DIRECTORY WHY
  local hint=''
  # MXNet itself keeps downloaded models in the directory of that name.
  if [[ -z $SOURCE && -n ${MXNET_HOME:-} ]]; then hint=' (MXNET_HOME names it; --source DIR goes before that)'; fi
  die "$1 is not an MXNet source tree: $2$hint"
}

check_is_mxnet() {
  local part
  for part in CMakeLists.txt include/mxnet/base.h python/mxnet/libinfo.py "$OPERATORS_DIR"; do
    [[ -e $TREE/$part ]] || not_mxnet "$TREE" "it has no $part"
  done
  [[ -w $TREE && -w $TREE/$OPERATORS_DIR ]] || die "$TREE: no permission to write there"
}

# Both numbers must agree. The development line was called 2.0.0 for years; what its later half lacks, and a Gluon
# package cannot do without, is hybrid_forward.
check_version() {
  local header python
  header=$(awk '$1 == "#define" && $2 ~ /^MXNET_(MAJOR|MINOR|PATCH)$/ { v = v dot $3; dot = "." } END { print v }' \
    "$TREE/include/mxnet/base.h")
  python=$(sed -n 's/^__version__ = "\(.*\)".*/\1/p' "$TREE/python/mxnet/libinfo.py")
  case "$header $python" in
    '1.9.1 1.9.1') LINE=1.9.1 ;;
    '2.0.0 2.0.0')
      grep -qs 'def hybrid_forward' "$TREE/python/mxnet/gluon/block.py" ||
        die "$TREE is MXNet 2.0 without hybrid_forward; known are 1.9.1 and the 2.0 line up to commit de510582"
      LINE=2.0
      ;;
    *) die "$TREE is MXNet ${header:-?} (in Python ${python:-?}); known are 1.9.1 and the 2.0 line of de510582" ;;
  esac
}

# Not read from .gitmodules: a release archive has the files and no .gitmodules, and onnx-tensorrt is for TensorRT only.
list_submodules() {
  local name
  SUBMODULES=()
  for name in dmlc-core ps-lite dlpack openmp googletest mkldnn tvm nvidia_cub; do SUBMODULES+=("3rdparty/$name"); done
  if [[ $LINE == 1.9.1 ]]; then SUBMODULES+=(3rdparty/intgemm); fi
  if [[ "${EXTRA[*]}" =~ -DUSE_TENSORRT(:BOOL)?=(ON|1) ]]; then SUBMODULES+=(3rdparty/onnx-tensorrt); fi
}

check_submodules() {
  local path missing=()
  for path in "${SUBMODULES[@]}"; do
    # ls does not show the .git that a submodule has before its files are there.
    if [[ -z $(ls -- "$TREE/$path" 2>/dev/null) ]]; then missing+=("$path"); fi
  done
  ((${#missing[@]} == 0)) || die "submodule missing in $TREE: ${missing[*]}; get it with:" \
    "$(quoted git -C "$TREE" submodule update --init --depth 1 -- "${missing[@]}")"
}

check_build_dir() {
  local cache=$TREE/build/CMakeCache.txt home
  if [[ -f $cache ]]; then
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache")
    [[ $home -ef $TREE ]] || die "$TREE/build was configured for the directory $home; remove it first"
  fi
  # MXNet's Python looks into lib before build.
  if "$INSTALL" && [[ -e $TREE/lib/libmxnet.so ]]; then
    die "$TREE/lib/libmxnet.so would be loaded instead of build/libmxnet.so; move it away first"
  fi
}

check_tree() {
  check_is_mxnet
  check_version
  list_submodules
  check_submodules
  check_build_dir
  check_places
}

# -- our files ---------------------------------------------------------------------------------------------------------

is_ours() { [[ -f $1 && ! -L $1 ]] && grep -qF "$MARKER" -- "$1"; }

# This directory holds what goes into the tree and nothing else.
check_operators() {
  local path
  for path in "$REPO/$OPERATORS_DIR"/*; do
    is_ours "$path" || die "$path is missing or does not say '$MARKER': this is no whole copy of gluonzoo"
    OPERATORS+=("${path##*/}")
  done
}

# All or none: a foreign file is found before the first of ours is written or removed.
check_places() {
  local name place
  for name in "${OPERATORS[@]}"; do
    place=$TREE/$OPERATORS_DIR/$name
    if [[ -e $place || -L $place ]] && ! is_ours "$place"; then
      die "$place is not gluonzoo's (it does not say '$MARKER'); it is left alone, move it away first"
    fi
  done
}

# A file that has not changed keeps its time, so nothing is compiled again; one that has gets a new one.
patch_tree() {
  local name place
  PATCHED=true
  for name in "${OPERATORS[@]}"; do
    place=$TREE/$OPERATORS_DIR/$name
    if cmp -s -- "$REPO/$OPERATORS_DIR/$name" "$place"; then
      say "$OPERATORS_DIR/$name is up to date"
    else
      run cp -- "$REPO/$OPERATORS_DIR/$name" "$place" || failed "$place could not be written"
    fi
  done
  remove_ours "${OPERATORS[@]}"   # an earlier gluonzoo may have had a file that this one has not
}

# Remove our files from the tree, except those named.
remove_ours() {
  local place name kept=" $* "
  for place in "$TREE/$OPERATORS_DIR"/*; do
    name=${place##*/}
    if [[ $kept != *" $name "* ]] && is_ours "$place"; then
      run rm -- "$place" || failed "$place could not be removed"
    fi
  done
}

unpatch_tree() {
  remove_ours
  say "the operators are out of $TREE; a libmxnet.so that is built there keeps them until the next build"
}

# -- the machine -------------------------------------------------------------------------------------------------------

check_tools() {
  if "$CLONE"; then has git || die 'git not found; it is needed to clone MXNet'; fi
  check_cmake
  local compiler=${CXX:-c++}
  has "${compiler%% *}" || has g++ || has clang++ || die "no C++ compiler found (${compiler%% *}, g++ or clang++)"
  has perl || die "perl not found; MXNet's OpenMP library is generated with it"
  choose_generator
  if "$CUDA"; then check_cuda; fi
}

# CMake 4 has given up what MXNet's submodules were written for.
check_cmake() {
  has cmake || die 'cmake not found; 3.13 to 3.31 is needed'
  local version major minor
  version=$(cmake --version | sed -n 's/^cmake version \([0-9.]*\).*/\1/p')
  IFS=. read -r major minor _ <<<"$version"
  ((major == 3 && minor >= 13)) || die "cmake $version does not build MXNet; 3.13 to 3.31 is needed"
}

# Sets NVCC and CUDA_MAJOR.
check_cuda() {
  if is_chosen CMAKE_CUDA_COMPILER; then
    die 'name nvcc in CUDACXX, not with -DCMAKE_CUDA_COMPILER: the architectures depend on it'
  elif [[ -n ${CUDACXX:-} ]]; then
    NVCC=$(type -P -- "$CUDACXX") || die "nvcc not found: $CUDACXX (CUDACXX names it)"
  else
    NVCC=$(type -P nvcc || type -P /usr/local/cuda/bin/nvcc) ||
      die 'nvcc not found (in CUDACXX, PATH or /usr/local/cuda/bin); --cuda needs it'
  fi
  [[ $NVCC == /* ]] || NVCC=$PWD/$NVCC
  CUDA_MAJOR=$("$NVCC" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\).*/\1/p') || true
  [[ $CUDA_MAJOR =~ ^[0-9]+$ ]] || die "$NVCC --version does not say the release of CUDA"
  check_known_nvcc
  local cub='include_directories("3rdparty/nvidia_cub")'
  if ((CUDA_MAJOR >= 11)) && grep -qsxF "$cub" "$TREE/CMakeLists.txt"; then   # indented, it depends on the version
    die "$TREE/CMakeLists.txt puts an older CUB before the CUB of CUDA $CUDA_MAJOR, whose headers refuse that; use" \
      "CUDA 10, or take out the line $cub"
  fi
}

# Where nvcc itself is, when NVCC is a script that calls it: MXNet looks for CUDA beside NVCC.
cuda_bin() {
  local here
  here=$({ "$NVCC" --dryrun -E none.cu 2>&1 || true; } | sed -n 's|^#\$ _HERE_=/|/|p')
  if [[ $here != "${NVCC%/*}" && -e ${here%/*}/include/cuda_runtime.h ]]; then printf '%s' "$here"; fi
}

# CMake compares the names. When they differ it starts over, without any of our settings.
check_known_nvcc() {
  local known
  known=$(sed -n 's|^CMAKE_CUDA_COMPILER:[A-Z]*=/|/|p' "$TREE/build/CMakeCache.txt" 2>/dev/null || true)
  if [[ $NVCC -ef $known ]]; then
    NVCC=$known
  elif [[ -n $known ]]; then
    die "$TREE/build was configured with $known, not with $NVCC; name the former in CUDACXX, or remove $TREE/build"
  fi
}

# A build directory keeps the generator it was made with: CMake refuses another one.
choose_generator() {
  local name
  name=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$TREE/build/CMakeCache.txt" 2>/dev/null || true)
  if [[ -z $name ]]; then
    if has ninja || has ninja-build; then name=Ninja; else name='Unix Makefiles'; fi
  fi
  case $name in
    Ninja) has ninja || has ninja-build || die "ninja not found; $TREE/build was configured with it" ;;
    *Makefiles) has make || die 'neither ninja nor make found; one of them is needed' ;;
  esac
  GENERATOR=(-G "$name")
}

check_python() {
  local wanted=${PYTHON:-python} problem
  if [[ -z $PYTHON ]] && ! has python; then wanted=python3; fi
  has "$wanted" || die "$wanted not found; a Python to install into is needed (--python PATH, or --no-install)"
  PYTHON=$(type -P -- "$wanted")
  [[ $PYTHON == /* ]] || PYTHON=$PWD/$PYTHON
  problem=$(in_python '
import os, sys, sysconfig
from importlib import metadata, util
marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
if not (3, 9) <= sys.version_info[:2] <= (3, 12):
    print("is version %d.%d; gluonzoo runs on 3.9 to 3.12" % sys.version_info[:2])
elif util.find_spec("pip") is None:
    print("has no pip")
elif tuple(map(int, metadata.version("pip").split(".")[:1])) < (23,):
    print("has pip %s; 23 or newer is needed" % metadata.version("pip"))
elif sys.prefix == sys.base_prefix and os.path.exists(marker):
    print("belongs to the operating system; activate a virtual environment or name another with --python")
' 2>/dev/null) || problem='cannot be run'
  [[ -z $problem ]] || die "$PYTHON $problem"
}

# Not from the current directory: Python would search it first, and it may hold a directory mxnet or gluonzoo.
in_python() { (cd / && exec "$PYTHON" -c "$@"); }

check_disk() {
  local dir=$TREE need=$CPU_BUILD_MB built free
  if "$CUDA"; then need=$CUDA_BUILD_MB; fi
  if "$CLONE"; then
    dir=$PWD
    need=$((need + CLONE_MB))
  elif [[ -d $TREE/build ]]; then
    built=$(du -sk -- "$TREE/build" | cut -f1)
    need=$((need - built / 1024))
    if ((need < REBUILD_MB)); then need=$REBUILD_MB; fi
  fi
  free=$(($(df -Pk -- "$dir" | awk 'NR == 2 { print $4 }') / 1024))
  ((free >= need)) || die "too little disk space in $dir: about $need MB are needed, $free MB are free"
}

default_jobs() {
  local jobs memory_kb file limit
  jobs=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)   # nproc obeys them, a compiler does not
  memory_kb=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  # A container may have less than the machine.
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat "$file" 2>/dev/null || true)
    if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1024 < memory_kb)); then memory_kb=$((limit / 1024)); fi
  done
  if ((jobs > memory_kb / 1024 / JOB_MB)); then jobs=$((memory_kb / 1024 / JOB_MB)); fi
  echo $((jobs > 0 ? jobs : 1))
}

# -- CMake's settings --------------------------------------------------------------------------------------------------

# CMake itself is asked what it can find, in an empty project outside the tree: any other search would disagree with it.
# The lists of places are those of MXNet's own modules.
probe() {
  cat >"$SCRATCH/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(probe C CXX)
find_path(CBLAS_H cblas.h PATHS /opt/OpenBLAS $ENV{OpenBLAS_HOME} PATH_SUFFIXES include openblas openblas-base)
find_library(OPENBLAS openblas PATHS /opt/OpenBLAS $ENV{OpenBLAS_HOME} $ENV{OpenBLAS} PATH_SUFFIXES lib openblas-base)
find_path(MKL_H mkl.h PATHS $ENV{MKL_ROOT} /opt/intel/mkl PATH_SUFFIXES include)
if((CBLAS_H AND OPENBLAS) OR MKL_H)
  message(STATUS "gluonzoo found: blas")
endif()
include(CheckLibraryExists)
check_library_exists(lapack dgetrf_ "" LAPACK)
if(LAPACK)
  message(STATUS "gluonzoo found: lapack")
endif()
find_package(OpenCV QUIET COMPONENTS core highgui imgproc imgcodecs)
if(OpenCV_FOUND)
  message(STATUS "gluonzoo found: opencv")
endif()
find_path(ZMQ_H zmq.h)
find_library(ZMQ zmq)
find_package(Protobuf QUIET)
if(ZMQ_H AND ZMQ AND Protobuf_FOUND AND Protobuf_PROTOC_EXECUTABLE AND Protobuf_VERSION VERSION_LESS 3.22)
  message(STATUS "gluonzoo found: kvstore")
endif()
END
  cmake -S "$SCRATCH" -B "$SCRATCH/build" "${GENERATOR[@]}" --no-warn-unused-cli "${EXTRA[@]}" >"$SCRATCH/log" 2>&1 ||
    die "CMake cannot use this compiler: $(grep -A4 -m1 'CMake Error' "$SCRATCH/log" | tr -s '\n ' '  ')"
  sed -n 's/^-- gluonzoo found: //p' "$SCRATCH/log"
}

find_features() {
  SCRATCH=$(mktemp -d)
  trap 'rm -rf -- "$SCRATCH"' EXIT
  local found
  found=$(probe)
  if [[ $found != *blas* ]] && ! is_chosen BLAS && ! is_chosen USE_BLAS; then
    die 'no BLAS found (cblas.h and libopenblas; on Debian libopenblas-dev); for another one: -- -DUSE_BLAS=...'
  fi
  feature "$found" opencv USE_OPENCV 'OpenCV not found (on Debian libopencv-dev); no mx.image and no record iterators'
  feature "$found" lapack USE_LAPACK 'liblapack not found (on Debian liblapack-dev); no matrix factorizations'
  feature "$found" kvstore USE_DIST_KVSTORE 'ZeroMQ and Protobuf up to 3.21 not found (on Debian libzmq3-dev,
    libprotobuf-dev and protobuf-compiler); no training on several machines'
}

feature() { # FOUND NAME OPTION WHY_NOT
  if is_chosen "$3"; then return; fi
  if [[ $1 == *$2* ]]; then
    FEATURES+=("-D$3=ON")
  else
    FEATURES+=("-D$3=OFF")
    say "$3=OFF: $(tr -s '\n ' ' ' <<<"$4")"
  fi
}

# Sets ARCHS. MXNet's CMake knows major versions of one digit only.
choose_archs() {
  local arch names='Kepler|Maxwell|Pascal|Volta|Turing'
  if [[ -z $ARCHS ]]; then ARCHS=$(gpu_archs); fi
  if [[ -z $ARCHS ]]; then
    ARCHS=Common
    if ((CUDA_MAJOR >= 11)); then ARCHS=$CUDA_11_ARCHS; fi
    if ((CUDA_MAJOR >= 13)); then ARCHS=$CUDA_13_ARCHS; fi
  fi
  for arch in ${ARCHS//;/ }; do
    [[ $arch =~ ^(Auto|Common|All|($names|[0-9]\.[0-9](\([0-9]\.[0-9]\))?)(\+PTX)?)$ ]] ||
      die "--cuda: MXNet's CMake does not know the architecture $arch (for instance 7.5, 8.6+PTX, Volta or Common)"
  done
}

gpu_archs() {
  { nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null || true; } |
    sed -n '/^[0-9]*\.[0-9]$/p' | sort -u | paste -sd ';'
}

cmake_arguments() {
  local arguments=("${GENERATOR[@]}" -DCMAKE_BUILD_TYPE=Release) bin
  if "$CUDA"; then
    arguments+=(-DUSE_CUDA=ON "-DMXNET_CUDA_ARCH=$ARCHS" "-DCMAKE_CUDA_COMPILER=$NVCC")
    arguments+=("-DCMAKE_PROJECT_mxnet_INCLUDE=$TREE/build/$CUDA_LANGUAGE")
    bin=$(cuda_bin)
    if [[ -n $bin ]]; then arguments+=("-DCUDAToolkit_BIN_DIR=$bin"); fi
  else
    arguments+=(-DUSE_CUDA=OFF)
  fi
  arguments+=("${FEATURES[@]}")
  if has ccache; then arguments+=(-DUSE_CCACHE=ON); else arguments+=(-DUSE_CCACHE=OFF); fi
  arguments+=(-DBUILD_CPP_EXAMPLES=OFF "-DCMAKE_PROJECT_intgemm_INCLUDE=$TREE/build/$INTGEMM_OPTIONS")
  printf '%s\0' "${arguments[@]}" "${EXTRA[@]}"
}

# -- steps -------------------------------------------------------------------------------------------------------------

# Under another name until it is whole, so that an interrupted clone is not taken for a tree.
clone_tree() {
  local part=$TREE.part
  if [[ ! -d $part ]]; then
    run git clone --depth 1 --branch "$MXNET_TAG" "$MXNET_URL" "$part" || failed 'MXNet could not be cloned'
  fi
  run git -C "$part" submodule update --init --depth 1 -- "${SUBMODULES[@]}" || failed "$part lacks submodules"
  run mv -- "$part" "$TREE" || failed "$part could not be renamed"
  if ! "$DRY_RUN"; then check_tree; fi
}

# intgemm asks for -Werror, which the AVX-512 headers of GCC 12 do not survive. CMake includes this file in intgemm alone.
write_intgemm_options() {
  printf 'add_compile_options(-Wno-error=uninitialized -Wno-error=maybe-uninitialized)\n' >"$TREE/build/$INTGEMM_OPTIONS"
}

# MXNet 1.9.1 takes /usr/local/cuda/bin/nvcc where it exists, whatever CMAKE_CUDA_COMPILER says, unless the language is
# there already: CMake includes this file right after project(mxnet). It is written for a build without CUDA too, since
# the cache keeps its name, and a file that is not there is an error.
write_cuda_language() {
  printf 'if(USE_CUDA)\n  enable_language(CUDA)\nendif()\n' >"$TREE/build/$CUDA_LANGUAGE"
}

# CMake lists the sources when it configures, so this runs every time; it takes seconds.
configure() {
  local arguments
  mapfile -d '' arguments < <(cmake_arguments)
  if ! "$DRY_RUN"; then
    mkdir -p -- "$TREE/build"
    write_intgemm_options
    write_cuda_language
  fi
  run cmake -S "$TREE" -B "$TREE/build" "${arguments[@]}" || failed 'CMake could not configure MXNet'
}

build() {
  run cmake --build "$TREE/build" --target mxnet --parallel "${JOBS:-$(default_jobs)}" ||
    failed 'the build failed (if a compiler was killed, memory was short: use a smaller --jobs)'
}

# Editable, because setup.py cannot place libmxnet.so, which needs libomp.so from the build directory anyway. compat
# puts the tree on Python's path; the import hook that would be there instead is asked too late next to a ./mxnet.
install_mxnet() {
  local packages other
  if [[ -z $(other_mxnets) ]] && is_installed; then
    say "$PYTHON has it already, from $TREE/python"
    return
  fi
  mapfile -t packages < <(missing_packages)
  run env "MXNET_LIBRARY_PATH=$TREE/build/libmxnet.so" "$PYTHON" -m pip install --use-pep517 \
    --config-settings editable_mode=compat 'numpy>=1.23,<2' "${packages[@]}" --editable "$TREE/python" ||
    failed "MXNet is built, but pip could not install it into $PYTHON"
  for other in $(other_mxnets); do
    run "$PYTHON" -m pip uninstall --yes "$other" || failed "pip could not uninstall $other"
  done
  if ! "$DRY_RUN"; then
    is_installed || failed "$PYTHON imports mxnet from elsewhere than $TREE/python (is PYTHONPATH set?)"
  fi
}

# What the test needs, and what MXNet does not say that it needs: distutils, which Python 3.12 leaves to setuptools.
missing_packages() {
  in_python '
from importlib.util import find_spec
for module, package in [("pytest", "pytest"), ("distutils", "setuptools")]:
    if find_spec(module) is None:
        print(package)
'
}

# mxnet-cu112 and its like: other distributions that own the package mxnet. pip itself replaces one named mxnet.
other_mxnets() {
  in_python '
from importlib import metadata
for found in metadata.distributions():
    record = found.read_text("RECORD") or ""
    if found.metadata["Name"] != "mxnet" and any(line.startswith("mxnet/libinfo.py,") for line in record.split()):
        print(found.metadata["Name"])
'
}

is_installed() {
  local place
  place=$(in_python '
from importlib import metadata, util
metadata.version("mxnet")
print(util.find_spec("mxnet").origin)
' 2>/dev/null) && [[ $place -ef $TREE/python/mxnet/__init__.py ]]
}

test_mxnet() {
  if [[ $LINE == 2.0 ]]; then
    say 'gluonzoo is made for MXNet 1.9.1: on the 2.0 line each operator is tried once, the full test is not run'
    run "$PYTHON" - "$REPO/gluonzoo/runtime.py" < <(smoke_test) || failed 'MXNet is installed, but the operators fail'
    return
  fi
  if ! in_python 'from importlib import metadata; metadata.version("gluonzoo")' 2>/dev/null; then
    run "$PYTHON" -m pip install "$REPO" || failed 'MXNet is installed, but pip could not install gluonzoo'
  fi
  run env GLUONZOO_OPS=built-in "$PYTHON" "$REPO/unittests/test_pool.py" ||
    failed 'MXNet is built and installed, but its test failed'
}

# All values differ, so an element's gradient is the number of outputs that are equal to it.
smoke_test() {
  cat <<'END'
import importlib
import pathlib
import sys
import types

import numpy as np

# The files of the package without the package, which would look for operators of its own.
package = sys.modules["trial"] = types.ModuleType("trial")
package.__path__ = [str(pathlib.Path(sys.argv[1]).parent)]
importlib.import_module("trial.runtime").prepare()

import mxnet as mx
from mxnet import autograd

x = np.random.RandomState(0).permutation(210).reshape(2, 3, 5, 7)
for name, axis, flipped in [("top_pool", 2, 1), ("bottom_pool", 2, 0), ("left_pool", 3, 1), ("right_pool", 3, 0)]:
    data = mx.nd.array(x, dtype="float32")
    data.attach_grad()
    with autograd.record():
        out = getattr(mx.nd.contrib, name)(data)
    out.backward()
    turned = np.flip(x, axis) if flipped else x
    best = np.maximum.accumulate(turned, axis)
    best = np.flip(best, axis) if flipped else best
    np.testing.assert_array_equal(out.asnumpy(), best)
    np.testing.assert_array_equal(data.grad.asnumpy(), np.bincount(best.ravel(), minlength=x.size)[x])
    print(name, "ok")
END
}

# -- the story ---------------------------------------------------------------------------------------------------------

check_everything() {
  if "$CLONE"; then
    [[ -w $PWD ]] || die "$PWD: no permission to clone MXNet into it"
    LINE=1.9.1
    list_submodules
  else
    check_tree
  fi
  check_tools
  if "$INSTALL"; then check_python; fi
  check_disk
  if "$CUDA"; then choose_archs; fi
  find_features
}

main() {
  parse_options "$@"
  locate_tree
  check_operators
  if "$UNPATCH"; then
    if "$CLONE"; then die 'there is no ./mxnet to unpatch; name a tree with --source'; fi
    check_is_mxnet
    check_places
    unpatch_tree
    return
  fi
  check_everything
  say "MXNet $LINE in $TREE"
  if "$CLONE"; then clone_tree; fi
  patch_tree
  configure
  build
  if "$INSTALL"; then
    install_mxnet
    test_mxnet
  fi
  if "$DRY_RUN"; then say 'nothing was changed'; else say "done: $TREE/build/libmxnet.so"; fi
}

main "$@"
