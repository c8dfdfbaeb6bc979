// Reads /proc/PID/task/*/schedstat and stat.
#include "process_cpu.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace load {
namespace {

/// The file's first line, or nothing.
std::string first_line(const std::string& path) {
  char text[1024] = {};
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return {};
  const bool has_line = std::fgets(text, sizeof text, file) != nullptr;
  std::fclose(file);
  return has_line ? text : "";
}

void add_thread(const std::string& folder, cpu_time& sum) {
  unsigned long long run = 0;
  if (std::sscanf(first_line(folder + "/schedstat").c_str(), "%llu", &run) == 1)
    sum.seconds += static_cast<double>(run) / 1e9;
  const std::string stat = first_line(folder + "/stat");
  const auto name_end = stat.rfind(')');  // the name before it may hold anything
  unsigned long user = 0;
  unsigned long system = 0;
  if (name_end == stat.npos ||
      std::sscanf(stat.c_str() + name_end + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  sum.user_seconds += static_cast<double>(user) / ticks;
  sum.system_seconds += static_cast<double>(system) / ticks;
}

}  // namespace

cpu_time cpu_time_of(const std::vector<int>& pids) {
  cpu_time sum;
  for (const int pid : pids) {
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    DIR* const threads = ::opendir(folder.c_str());
    if (threads == nullptr) continue;
    while (const dirent* const entry = ::readdir(threads))
      if (entry->d_name[0] != '.') add_thread(folder + '/' + entry->d_name, sum);
    ::closedir(threads);
  }
  return sum;
}

}  // namespace load
