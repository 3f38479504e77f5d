#define _GNU_SOURCE
#include "steering.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    next_header_offset = 6,
    ip4_source_offset = 12,
    ip6_source_end_offset = 20,
    ip6_header_bytes = 40,
    flags_offset = 13,
    flag_syn = 0x02,
    flag_ack = 0x10,
    longest_program = 32,
};

// For such a program, the data begin after the TCP header. The headers before it are read relative
// to the network header (SKF_NET_OFF, "Linux Socket Filtering" in the kernel's documentation).
#define FROM_IP(offset) ((uint32_t)SKF_NET_OFF + (offset))

struct program {
    struct sock_filter code[longest_program];
    unsigned short length;
};

static void add(struct program *program, struct sock_filter step) {
    program->code[program->length++] = step;
}

// Continues only if the loaded value equals this one; finish() completes the jump.
static void require(struct program *program, uint32_t value) {
    struct sock_filter step = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0xff);
    add(program, step);
}

// Ends the program with both results, and directs every unmet condition to the first listener.
static void finish(struct program *program, uint32_t index) {
    struct sock_filter chosen = BPF_STMT(BPF_RET | BPF_K, index);
    struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
    add(program, chosen);
    add(program, first);
    for (unsigned short place = 0; place < program->length; place++)
        if (BPF_CLASS(program->code[place].code) == BPF_JMP && program->code[place].jf == 0xff)
            program->code[place].jf = (uint8_t)(program->length - place - 2);
}

// The flags are loaded. An ACK may complete a handshake that the first listener began with a
// cookie.
static void require_bare_syn(struct program *program) {
    struct sock_filter step = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, flag_syn | flag_ack);
    add(program, step);
    require(program, flag_syn);
}

static int attach(int member, struct program *program) {
    struct sock_fprog attached = {program->length, program->code};
    return setsockopt(member, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached);
}

struct client {
    uint16_t port;
    uint32_t address;
};

// The conditions for an IPv4 segment. X holds the variable length of the IP header.
static void add_ip4(struct program *program, const struct client *client) {
    struct sock_filter header = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, FROM_IP(0));
    struct sock_filter flags = BPF_STMT(BPF_LD | BPF_B | BPF_IND, FROM_IP(flags_offset));
    add(program, header);
    if (client == NULL) {
        add(program, flags);
        require_bare_syn(program);
        return;
    }
    struct sock_filter port = BPF_STMT(BPF_LD | BPF_H | BPF_IND, FROM_IP(0));
    struct sock_filter source = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FROM_IP(ip4_source_offset));
    add(program, port);
    require(program, ntohs(client->port));
    add(program, source);
    require(program, ntohl(client->address));
}

// The conditions for an IPv6 segment. A segment with an extension header goes to the first
// listener.
static void add_ip6(struct program *program, const struct client *client) {
    struct sock_filter next = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FROM_IP(next_header_offset));
    struct sock_filter flags =
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FROM_IP(ip6_header_bytes + flags_offset));
    add(program, next);
    require(program, IPPROTO_TCP);
    if (client == NULL) {
        add(program, flags);
        require_bare_syn(program);
        return;
    }
    struct sock_filter port = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, FROM_IP(ip6_header_bytes));
    struct sock_filter source = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FROM_IP(ip6_source_end_offset));
    add(program, port);
    require(program, ntohs(client->port));
    add(program, source);
    require(program, ntohl(client->address));
}

static int steer(int member, uint32_t index, const struct client *client) {
    struct program program = {.length = 0};
    struct sock_filter version = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FROM_IP(0));
    struct sock_filter high_bits = BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4);
    struct sock_filter is_ip6 = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 0);
    add(&program, version);
    add(&program, high_bits);
    unsigned short choice = program.length;
    add(&program, is_ip6);
    struct program ip6 = {.length = 0}, ip4 = {.length = 0};
    add_ip6(&ip6, client);
    finish(&ip6, index);
    add_ip4(&ip4, client);
    finish(&ip4, index);
    program.code[choice].jf = (uint8_t)ip6.length;
    for (unsigned short place = 0; place < ip6.length; place++)
        add(&program, ip6.code[place]);
    for (unsigned short place = 0; place < ip4.length; place++)
        add(&program, ip4.code[place]);
    return attach(member, &program);
}

int csupervise_steer(int member, uint32_t index) { return steer(member, index, NULL); }

int csupervise_steer_client(int member, uint32_t index, uint16_t port, uint32_t address) {
    struct client client = {port, address};
    return steer(member, index, &client);
}

// Before bind(2), a program can be attached only while the option is set (reuseport_attach_prog in
// net/core/sock_reuseport.c). The group remains when the option is cleared, and no socket can join
// without it.
int csupervise_prepare_steering(int socket) {
    int on = 1, off = 0;
    if (setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return -1;
    int result = csupervise_steer(socket, 0);
    setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &off, sizeof off);
    return result;
}
