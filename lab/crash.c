/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler runs on the stack of the fiber that crashed, which it leaves for the host and never comes back to. One run at a time
 * watches, as there is one simulation at a time.
 */
#include "crash.h"

#include <signal.h>

static struct machine *watched;
static volatile sig_atomic_t crashed;

static void on_crash(int signal)
{
	crashed = signal;
	sim_give_up(watched->sim);
}

int crash_run(struct machine *m, const char *hang, void (*who)(char *buf, size_t size, void *arg),
	      void *arg)
{
	/* The second time it is one of the program itself. */
	const struct sigaction act = {.sa_handler = on_crash,
				      .sa_flags = SA_RESETHAND | SA_NODEFER};
	struct sigaction segv, bus;
	char waits[400] = "";
	int rc;

	if (m->tampered) {
		watched = m;
		crashed = 0;
		sigaction(SIGSEGV, &act, &segv);
		sigaction(SIGBUS, &act, &bus);
	}
	rc = sim_run(m->sim);
	if (m->tampered) {
		sigaction(SIGSEGV, &segv, NULL);
		sigaction(SIGBUS, &bus, NULL);
	}
	if (!rc)
		return 0;
	m->hung = true;
	if (who)
		who(waits, sizeof(waits), arg);
	if (m->tampered && crashed)
		machine_complain(
			m, 0, 0, "pointer",
			"the driver followed a pointer to where nothing is: one out of memory "
			"that it had given back, or that it took before it was written");
	else
		machine_complain(m, 0, 0, "progress", "%s%s", hang, waits);
	return -1;
}
