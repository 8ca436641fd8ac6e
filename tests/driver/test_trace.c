/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace hooks: each comes where trace.h says, with what it says, and in that order. */
#include "rig.h"

#include "trace_hooks.h"

#define PA(n) (0x60000000ull + (n)*0x1000ull)

static struct rig rig;
static struct smmu_domain domain;
static struct rig_device d, e;
static char text[4096];

static void line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void line(const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
}

void trace_sweep_begin(const struct smmu_fence *f)
{
	line("sweep(%u) ", f->array ? f->array->count : 0);
	assert_true(f->rcu && !f->flights);
}

void trace_sweep_end(const struct smmu_fence *f)
{
	line("end(%d) ", f->error);
}

void trace_sync(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token, int status)
{
	assert_true(token->end > 0 && token->end <= q->tail);
	line("%s:sync(%d) ", q->name, status);
}

void trace_cmdq_error(const struct smmu_cmdq *q, uint64_t position, uint32_t code)
{
	assert_true(position < q->tail);
	line("%s:error(%u) ", q->name, code);
}

void trace_gerror(const struct smmu_instance *inst, uint32_t bits)
{
	line("%s:gerror(0x%x) ", inst->name, bits);
}

void trace_quarantine(const struct smmu_streams *s)
{
	line("%s:quarantine(%u) ", s->instance->name, s->id[0]);
}

void trace_attach(const struct smmu_device *dev, uint32_t ssid, const struct smmu_domain *to,
		  int error)
{
	line("attach(%u+%u%s:%d) ", dev->streams ? dev->streams->id[0] : 0, ssid,
	     to == &domain ? "" : "?", error);
}

void trace_detach(const struct smmu_device *dev, uint32_t ssid)
{
	line("detach(%u+%u) ", dev->streams->id[0], ssid);
}

static void start(void)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 2);
	rig_up(&rig, 0, 0);
	rig_up(&rig, 1, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &d, 0, 5, 1, true, 2);
	rig_device(&rig, &e, 1, 7, 1, false, 0);
	text[0] = 0;
}

static void finish(void)
{
	smmu_device_fini(&d.dev);
	smmu_device_fini(&e.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** The lines since the last time, without those of waits where @p no_sync. */
static const char *lines(bool no_sync)
{
	static char out[sizeof(text)];
	char *p = out;

	*p = 0;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		if (!no_sync || !strstr(word, "sync"))
			p += sprintf(p, "%s%s", p == out ? "" : " ", word);
	text[0] = 0;
	return out;
}

static void test_order(void **state)
{
	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_string_equal(lines(true), "attach(5+0:0)");
	assert_int_equal(smmu_attach(&e.dev, &domain), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 4, &domain), -SMMU_ERANGE);
	assert_string_equal(lines(true), "attach(7+0:0) attach(5+3:0) attach(5+4:-34)");
	assert_int_equal(smmu_map(&domain, 0x1000, PA(1), 0x1000, SMMU_PROT_READ, 0), 0);
	assert_string_equal(lines(false), "");
	/* Two tags, and the ATC of the stream twice; both SMMUs end well, then the sweep. */
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_string_equal(lines(false), "sweep(4) smmu0:sync(0) smmu1:sync(0) end(0)");
	smmu_detach_pasid(&d.dev, 3);
	smmu_detach(&e.dev);
	assert_string_equal(lines(true), "detach(5+3) detach(7+0)");
	finish();
}

static void test_errors(void **state)
{
	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA(1), 0x2000, SMMU_PROT_READ, 0), 0);
	lines(false);
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_NH_VA;
	rig.smmu[0].corruptions = 1;
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	/* CERROR_ILL is 1, SMMU_CMDQ_LOST 2. */
	assert_string_equal(lines(false),
			    "sweep(2) smmu0:error(1) smmu0:sync(2) smmu0:sync(0) end(0)");
	smmu_model_atc_mute(d.hw[0], true);
	assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
	/* CERROR_ATC_INV_SYNC is 3, SMMU_CMDQ_ATC_TIMEOUT 3; the cut-off is a CFGI_STE. */
	assert_string_equal(lines(false), "sweep(2) smmu0:error(3) smmu0:sync(3) "
					  "smmu0:quarantine(5) smmu0:sync(0) end(0)");
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
