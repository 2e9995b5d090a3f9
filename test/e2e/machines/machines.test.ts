/**
 * The scenarios with a booted systemd, one after the other: machines at the same time would share one tree of control
 * groups, in which each finds processes of the others that it cannot signal.
 */
import './package.ts';
import './two-nodes.ts';
