// io, L2: how the kernel's ring is set up, and what is said when it can't be.
#pragma once

namespace nen {

namespace detail {

/// One sentence for what the kernel refused.
[[gnu::cold]] inline error ring_error(int status, const char* what) noexcept {
  const char* advice = "";
  switch (-status) {
    case ENOSYS:
      advice = "this kernel has none; nen needs Linux 6.0 or newer with CONFIG_IO_URING";
      break;
    case EPERM:
    case EACCES:
      advice =
          "it is forbidden here; set kernel.io_uring_disabled=0, or allow io_uring_setup, "
          "io_uring_enter and io_uring_register in the container's seccomp profile";
      break;
    case EINVAL:
      advice = "this kernel's is too old; nen needs Linux 6.0 or newer";
      break;
    case ENOMEM:
      advice =
          "not enough lockable memory; raise it with ulimit -l (LimitMEMLOCK= in a systemd unit)";
      break;
    case EMFILE:
      advice =
          "RLIMIT_NOFILE is lower than the connections of a shard; raise it with ulimit -n "
          "(LimitNOFILE= in a systemd unit), or lower config::connections";
      break;
    default:
      advice = std::strerror(-status);
  }
  return make_error(-status, "cannot %s: %s", what, advice);
}

[[gnu::cold]] inline result<void> uring_base::set_up(const ring_sizes& sizes) noexcept {
  NEN_ASSERT(!opened_);
  const auto entries = smallest(largest(std::bit_ceil(sizes.places), 64u), 1024u);
  // What can complete in one turn: a send and a cancel for each connection, and every receive
  // buffer.
  const auto cq_entries = smallest(
      largest(std::bit_ceil(sizes.places * 2 + sizes.receive_buffers), 4 * entries), 65536u);
  // Only flags that liburing 2.3 knows: one that the library does not know can corrupt the ring.
  // SINGLE_ISSUER is as old as multishot receives (Linux 6.0); DEFER_TASKRUN is of 6.1.
  constexpr unsigned always = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL |
                              IORING_SETUP_SINGLE_ISSUER;
  io_uring_params parameters{};
  int status = -EINVAL;
  for (const unsigned wish : {IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN}) {
    parameters = {};
    parameters.cq_entries = cq_entries;
    parameters.flags = always | wish;
    status = io_uring_queue_init_params(entries, &ring_, &parameters);
    if (status != -EINVAL) break;
  }
  if (status < 0) return ring_error(status, "set up io_uring");
  opened_ = true;
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;
  if ((parameters.features & needed) != needed) return ring_error(-EINVAL, "use io_uring");
  io_uring_register_ring_fd(&ring_);  // an optimisation: without it every call looks the ring up
  status = io_uring_register_files_sparse(&ring_, sizes.places);
  if (status < 0) return ring_error(status, "register direct descriptors with io_uring");
  read_clocks();
  return {};
}

[[gnu::cold]] inline result<void> uring_base::provide(io_uring_buf* entries, char* memory,
                                                      const ring_sizes& sizes) noexcept {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
  registration.ring_entries = sizes.receive_buffers;
  registration.bgid = buffer_group;
  const int status = io_uring_register_buf_ring(&ring_, &registration, 0);
  if (status < 0) return ring_error(status, "register receive buffers with io_uring");
  buffers_tail_ = 0;
  for (std::uint32_t i = 0; i < sizes.receive_buffers; ++i)
    add_buffer(entries, sizes, static_cast<std::uint16_t>(i),
               memory + std::size_t{i} * sizes.receive_buffer_bytes);
  return {};
}

}  // namespace detail

}  // namespace nen
