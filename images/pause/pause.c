/* The process that holds a pod's namespaces open: it waits, reaps orphans, and ends on a signal. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int signal_number) {
    (void)signal_number;
    _exit(0);
}

static void reap(int signal_number) {
    (void)signal_number;
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
}

int main(void) {
    struct sigaction on_stop = {.sa_handler = stop};
    struct sigaction on_child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
    if (sigaction(SIGINT, &on_stop, 0) || sigaction(SIGTERM, &on_stop, 0) || sigaction(SIGCHLD, &on_child, 0)) {
        return 1;
    }
    for (;;) {
        pause();
    }
}
