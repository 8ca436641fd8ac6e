/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding, starting, watching and ending QEMU. See qemu_process.h for the arrangement. */
#include "qemu_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <smmuv3/types.h>

#define QEMU_PROGRAM "qemu-system-aarch64"
#define QEMU_MAJOR 11
#define QEMU_MINOR 1

/* --- finding --- */

enum verdict { FITS, ABSENT, TOO_OLD, BROKEN };

/* Run `path --version` and judge it; version gets the text between "version " and the next blank. */
static enum verdict judge(const char *path, char *version, size_t version_size)
{
	char line[256] = "", *at;
	int out[2], status, major, minor;
	size_t fill = 0;
	ssize_t n;
	pid_t pid;

	version[0] = '\0';
	if (access(path, X_OK))
		return ABSENT;
	if (pipe2(out, O_CLOEXEC))
		return BROKEN;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDERR_FILENO);
		dup2(out[1], STDOUT_FILENO);
		alarm(10);
		execl(path, path, "--version", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while (pid > 0 && fill < sizeof(line) - 1 &&
	       (n = read(out[0], line + fill, sizeof(line) - 1 - fill)) != 0) {
		if (n > 0)
			fill += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	close(out[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	at = strstr(line, "version ");
	if (!at || sscanf(at, "version %d.%d", &major, &minor) != 2)
		return BROKEN;
	at += strlen("version ");
	at[strcspn(at, " \n")] = '\0';
	snprintf(version, version_size, "%s", at);
	if (major < QEMU_MAJOR || (major == QEMU_MAJOR && minor < QEMU_MINOR))
		return TOO_OLD;
	return FITS;
}

static bool search_path(const char *name, char *path, size_t path_size)
{
	const char *dir = getenv("PATH"), *end;

	for (; dir && *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		if ((size_t)snprintf(path, path_size, "%.*s/%s", (int)(end - dir), dir, name) <
			    path_size &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static int named_program(const char *program, char *path, size_t path_size, char *err,
			 size_t err_size)
{
	char version[64];

	snprintf(path, path_size, "%s", program);
	switch (judge(path, version, sizeof(version))) {
	case FITS:
		return 0;
	case TOO_OLD:
		snprintf(err, err_size, "%s is QEMU %s; %d.%d or later is needed", path, version,
			 QEMU_MAJOR, QEMU_MINOR);
		return -SMMU_EOPNOTSUPP;
	case ABSENT:
		snprintf(err, err_size, "there is no program %s", path);
		return -SMMU_ENOENT;
	default:
		snprintf(err, err_size, "%s does not tell its version: not a QEMU that runs here",
			 path);
		return -SMMU_ENOENT;
	}
}

int qemu_process_find(const char *program, char *path, size_t path_size, char *err, size_t err_size)
{
	const char *cache = getenv("SMMUV3_CACHE");
	char own[512], version[64], note[640] = "no " QEMU_PROGRAM " in the path";
	bool old = false;

	if (!program || !*program)
		program = getenv("SMMUV3_QEMU");
	if (program && *program)
		return named_program(program, path, path_size, err, err_size);

	if (search_path(QEMU_PROGRAM, own, sizeof(own))) {
		switch (judge(own, version, sizeof(version))) {
		case FITS:
			snprintf(path, path_size, "%s", own);
			return 0;
		case TOO_OLD:
			old = true;
			snprintf(note, sizeof(note), "%s is QEMU %s, older than %d.%d", own,
				 version, QEMU_MAJOR, QEMU_MINOR);
			break;
		default:
			snprintf(note, sizeof(note), "%s does not run", own);
			break;
		}
	}
	if (!cache || !*cache)
		cache = SMMU_QEMU_CACHE;
	snprintf(path, path_size, "%s/qemu/run", cache);
	if (judge(path, version, sizeof(version)) == FITS)
		return 0;
	snprintf(err, err_size,
		 "no QEMU %d.%d or later: %s, and none was fetched into %s (tools/fetch-qemu.sh "
		 "does that; SMMUV3_QEMU can name one)",
		 QEMU_MAJOR, QEMU_MINOR, note, cache);
	return old ? -SMMU_EOPNOTSUPP : -SMMU_ENOENT;
}

/* --- starting: the code of the two children. Only calls that are safe after a fork. --- */

struct launch {
	char *const *argv;
	const int *keep;
	size_t keep_count;
	unsigned limit_s;
	int cpu, output;
};

static void __attribute__((noreturn)) become_qemu(const struct launch *l, pid_t supervisor)
{
	sigset_t none;
	cpu_set_t one;
	size_t i;
	int null;

	/* The supervisor has one thread, so "parent death" cannot mean that some thread of it ended. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(l->output, STDOUT_FILENO);
	dup2(l->output, STDERR_FILENO);
	for (i = 0; i < l->keep_count; i++)
		fcntl(l->keep[i], F_SETFD, 0);
	if (l->cpu >= 0) {
		CPU_ZERO(&one);
		CPU_SET(l->cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	execv(l->argv[0], l->argv);
	dprintf(STDERR_FILENO, "cannot start %s: error %d\n", l->argv[0], errno);
	_exit(127);
}

static void __attribute__((noreturn)) supervise(const struct launch *l, int lifeline, int report)
{
	struct pollfd watch[2] = {{.fd = lifeline, .events = POLLIN}, {.events = POLLIN}};
	pid_t self = getpid(), qemu;
	int status = -1;
	size_t i;

	setsid(); /* a terminal's ^C reaches the user, and through it us */
	qemu = fork();
	if (qemu == 0)
		become_qemu(l, self);
	for (i = 0; i < l->keep_count; i++)
		close(l->keep[i]); /* or the user would never see QEMU's end of the socket close */
	if (write(report, &qemu, sizeof(qemu)) != sizeof(qemu) || qemu < 0)
		_exit(1);
	watch[1].fd = (int)syscall(SYS_pidfd_open, qemu, 0);
	if (watch[1].fd < 0)
		watch[1].fd = -1; /* an old kernel: the lifeline and the limit still work */
	while (poll(watch, 2, (int)l->limit_s * 1000) < 0 && errno == EINTR)
		;
	if (!(watch[1].revents & POLLIN))
		kill(qemu, SIGKILL);
	while (waitpid(qemu, &status, 0) < 0 && errno == EINTR)
		;
	if (write(report, &status, sizeof(status)) < 0)
		_exit(1);
	_exit(0);
}

static void close_pair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

int qemu_process_start(struct qemu_process *p, char *const argv[], const int *keep,
		       size_t keep_count, unsigned limit_s, int cpu)
{
	struct launch l = {argv, keep, keep_count, limit_s, cpu, -1};
	int life[2], report[2];

	memset(p, 0, sizeof(*p));
	if (pipe2(life, O_CLOEXEC))
		return -SMMU_ENOMEM;
	if (pipe2(report, O_CLOEXEC)) {
		close_pair(life);
		return -SMMU_ENOMEM;
	}
	/* A file rather than a pipe: QEMU cannot block on it, and nobody has to read along. */
	l.output = memfd_create("qemu-output", MFD_CLOEXEC);
	p->supervisor = l.output < 0 ? -1 : fork();
	if (p->supervisor == 0) {
		close(life[1]);
		close(report[0]);
		supervise(&l, life[0], report[1]);
	}
	close(life[0]);
	close(report[1]);
	p->lifeline = life[1];
	p->report = report[0];
	p->output = l.output;
	if (p->supervisor < 0 ||
	    read(p->report, &p->qemu, sizeof(p->qemu)) != (ssize_t)sizeof(p->qemu) || p->qemu < 0) {
		close(p->lifeline);
		close(p->report);
		if (p->output >= 0)
			close(p->output);
		if (p->supervisor > 0)
			waitpid(p->supervisor, NULL, 0);
		memset(p, 0, sizeof(*p));
		return -SMMU_ENOMEM;
	}
	return 0;
}

void qemu_process_stop(struct qemu_process *p)
{
	if (p->supervisor <= 0)
		return;
	/* Not by the lifeline: a supervisor forked later may have inherited its other end. */
	kill(p->supervisor, SIGKILL);
	while (waitpid(p->supervisor, NULL, 0) < 0 && errno == EINTR)
		;
	close(p->lifeline);
	close(p->report);
	close(p->output);
	memset(p, 0, sizeof(*p));
}

void qemu_process_epitaph(struct qemu_process *p, char *text, size_t size)
{
	struct pollfd watch = {.fd = p->report, .events = POLLIN};
	char said[1024], *line, *save = NULL;
	off_t end;
	ssize_t n;
	int status;

	snprintf(text, size, "QEMU is gone");
	if (p->supervisor <= 0)
		return;
	if (poll(&watch, 1, 1000) == 1 && read(p->report, &status, sizeof(status)) > 0) {
		if (WIFSIGNALED(status))
			snprintf(text, size, "QEMU was killed by signal %d", WTERMSIG(status));
		else
			snprintf(text, size, "QEMU ended with status %d", WEXITSTATUS(status));
	}
	end = lseek(p->output, 0, SEEK_END);
	if (end <= 0)
		return;
	n = pread(p->output, said, sizeof(said) - 1,
		  end > (off_t)sizeof(said) - 1 ? end - (off_t)(sizeof(said) - 1) : 0);
	said[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(said, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t used = strlen(text);

		/* QEMU warns that it cannot describe a second SMMU in a device tree, which nobody reads here. */
		if (!strstr(line, ": warning: "))
			snprintf(text + used, size - used, "; it said: %s", line);
	}
}
