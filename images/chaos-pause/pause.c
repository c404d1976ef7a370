/* Waits for SIGCONT and then becomes the program it was given. The daemon moves a stressor into its target's
   cgroup while it waits here, and knows by the name of the process (`pause`) whether it still does. */
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv) {
    sigset_t waited;
    int got;
    if (argc < 2) {
        return 2;
    }
    sigemptyset(&waited);
    sigaddset(&waited, SIGCONT);
    if (sigprocmask(SIG_BLOCK, &waited, 0) || sigwait(&waited, &got) || sigprocmask(SIG_UNBLOCK, &waited, 0)) {
        return 1;
    }
    execvp(argv[1], argv + 1);
    return 127;
}
