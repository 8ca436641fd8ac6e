# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For scripts that unpack a distribution's packages into the cache folder: an apt of their own. Its lists, its cache and its
# (empty) record of what is installed lie in a temporary folder; nothing is installed, no root is needed, and the machine's
# apt state is not touched. apt checks the packages' origin with Debian's keys.
#
# To be read by "." in a script with set -eu that has defined die (exit status, a message). private_apt_open sets tmp, a
# temporary folder that goes when the script ends; after that private_apt is that apt-get, and private_apt_cache its apt-cache.
# SMMUV3_MIRROR in the environment names the mirror to use in place of the machine's; of a suite of security updates, which lie
# in an archive of their own, SMMUV3_SECURITY_MIRROR does.

# private_apt_open FOLDER SUITE ARCHITECTURES KIB: for what is to become FOLDER, beside which tmp lies; the first architecture is
# the one of packages that say none. Exits with 77 where there is no apt, with 1 where KIB are not free.
private_apt_open() {
	for tool in apt-get apt-cache dpkg dpkg-deb; do
		command -v "$tool" >/dev/null || die 77 "no $tool here: this is no Debian"
	done
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -r "$keyring" ] || die 77 "no $keyring (package debian-archive-keyring) to check the packages' origin with"
	case $2 in
	*-security)
		mirror=${SMMUV3_SECURITY_MIRROR:-}
		# shellcheck disable=SC2016 # the fields are apt's, not the shell's
		[ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(CREATED_BY) $(SITE) $(RELEASE)' 2>/dev/null |
			awk '$1 == "Packages" && $3 ~ /-security$/ { print $2; exit }')
		[ -n "$mirror" ] || die 77 "apt knows no archive of security updates here: name one in SMMUV3_SECURITY_MIRROR"
		;;
	*) mirror=${SMMUV3_MIRROR:-} ;;
	esac
	if [ -z "$mirror" ]; then
		# Of the archives this machine uses: those with a main component, security archives and the like left out.
		# shellcheck disable=SC2016 # the fields are apt's, not the shell's
		mirror=$(apt-get indextargets --format '$(CREATED_BY) $(SITE) $(RELEASE)' 2>/dev/null |
			awk '$1 == "Packages" && $3 !~ /security|updates|backports/ && $2 !~ /security/ { print $2; exit }')
	fi
	[ -n "$mirror" ] || die 77 "apt knows no Debian mirror here: name one in SMMUV3_MIRROR"
	cache=$(dirname "$1")
	mkdir -p "$cache" || die 1 "cannot make the cache folder $cache"
	free_kib=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
	[ "$free_kib" -ge "$4" ] || die 1 "$cache has $((free_kib / 1024)) MiB free, $(($4 / 1024)) MiB are needed"
	tmp=$(mktemp -d "$1.tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/archives/partial"
	: >"$tmp/apt/status"
	# shellcheck disable=SC2086 # a list of names
	architectures=$(printf '"%s"; ' $3)
	echo "deb [signed-by=$keyring] $mirror $2 main" >"$tmp/apt/sources.list"
	cat >"$tmp/apt/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
Dir::Etc::SourceList "$tmp/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$tmp/apt";
Dir::State::Lists "$tmp/apt/lists";
Dir::State::Status "$tmp/apt/status";
Dir::Cache "$tmp/apt";
Dir::Cache::Archives "$tmp/apt/archives";
Dir::Log "$tmp/apt";
APT::Architecture "${3%% *}";
APT::Architectures { $architectures};
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
CONF
}

private_apt() {
	# apt's own output only matters when it fails.
	if ! apt-get -c "$tmp/apt/apt.conf" -q -y "$@" >"$tmp/log" 2>&1; then
		tail -n 5 "$tmp/log" >&2
		return 1
	fi
}

private_apt_cache() {
	apt-cache -c "$tmp/apt/apt.conf" "$@"
}
