/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From reset at EL1 to embed_main: a stack, memory zeroed, and the MMU on with an identity map (the first GiB device
 * memory, the second normal memory), as atomic accesses are only defined on normal cacheable memory. The result goes
 * out as a semihosting exit, after a word on how much of the stack was ever used.
 */
	.section .text.start, "ax"
	.global _start
_start:
	ldr	x0, =stack_top
	mov	sp, x0

	/* Zero .bss and the pool, and paint the stack. */
	ldr	x0, =zero_start
	ldr	x1, =zero_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	ldr	x0, =stack_bottom
	ldr	x1, =stack_top
	ldr	x2, =0x5aa55aa55aa55aa5
3:	str	x2, [x0], #8
	cmp	x0, x1
	b.lo	3b

	/* MAIR 0: Device-nGnRE, 1: normal write-back. TCR: 39 bits, 4K, walks cacheable, no TTBR1. */
	ldr	x0, =0xff04
	msr	mair_el1, x0
	ldr	x0, =0x200803519
	msr	tcr_el1, x0
	ldr	x0, =boot_table
	msr	ttbr0_el1, x0
	dsb	sy
	tlbi	vmalle1
	dsb	sy
	isb
	mrs	x0, sctlr_el1
	mov	x1, #0x1005		/* M, C, I */
	orr	x0, x0, x1
	msr	sctlr_el1, x0
	isb

	bl	embed_main
	mov	w19, w0

	ldr	x0, =stack_bottom
	ldr	x2, =0x5aa55aa55aa55aa5
4:	ldr	x1, [x0], #8
	cmp	x1, x2
	b.eq	4b
	ldr	x1, =stack_top + 8
	sub	x20, x1, x0
	ldr	x0, =stack_text
	bl	board_print
	mov	x0, x20
	bl	board_print_number
	ldr	x0, =stack_end_text
	bl	board_print

	/* SYS_EXIT with ADP_Stopped_ApplicationExit and a status of 0 or 1. */
	cmp	w19, #0
	cset	x1, ne
	mov	x0, #0x26
	movk	x0, #2, lsl #16
	stp	x0, x1, [sp, #-16]!
	mov	x1, sp
	mov	x0, #0x18
	hlt	#0xf000
5:	wfi
	b	5b

	.section .rodata
stack_text:
	.asciz "  stack used at most: "
stack_end_text:
	.asciz " bytes\n"

	/* 1 GiB blocks: AF, inner shareable, MAIR 0 (never executed) and MAIR 1. */
	.section .table, "a"
	.balign 4096
boot_table:
	.quad	0x0060000000000701
	.quad	0x0000000040000705
	.fill	510, 8, 0
