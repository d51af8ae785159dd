/* explain.h - "weir-vectors explain": one scenario, run on weir and drawn. */
#ifndef WEIR_VECTORS_EXPLAIN_H
#define WEIR_VECTORS_EXPLAIN_H

/* argv[0] is "explain". The exit code: 0 drawn, 1 drawn and the scenario did not pass, 2 a wrong command line or scenario. */
int explain_main(int argc, char **argv);

#endif
