/* SPDX-License-Identifier: BSD-2-Clause */
/* Enough for a link: a stack, and the call. */
	.section .text.start, "ax"
	.global _start
_start:
	leaq	stack_top(%rip), %rsp
	call	embed_main
1:	pause
	jmp	1b
	.section .note.GNU-stack, "", @progbits
