#include "mtl/report/figure.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "mtl/io/atomic_file.hpp"
#include "script.hpp"

namespace mtl::report {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

// A file without a name: it is gone when it is closed, whatever happens.
File nameless_file() {
  File file(std::tmpfile());
  if (!file) throw Error("cannot make a temporary file: {}", std::strerror(errno));
  return file;
}

std::string content(std::FILE* file) {
  std::string bytes;
  std::rewind(file);
  std::array<char, 65536> block;
  while (const auto count = std::fread(block.data(), 1, block.size(), file))
    bytes.append(block.data(), count);
  return bytes;
}

struct Finished {
  int status;
  std::string output, messages;
};

// No shell and no pipes: the program reads and writes nameless files, so neither side can wait for
// the other.
Finished run_gnuplot(const std::string& program, const std::string& script) {
  const File input = nameless_file(), output = nameless_file(), messages = nameless_file();
  if (std::fwrite(script.data(), 1, script.size(), input.get()) != script.size() ||
      std::fflush(input.get()) != 0)
    throw Error("cannot write a temporary file: {}", std::strerror(errno));
  std::rewind(input.get());

  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(input.get()), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(output.get()), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(messages.get()), STDERR_FILENO);
  std::string name = program, defaults = "--default-settings", from_input = "-";
  char* arguments[] = {name.data(), defaults.data(), from_input.data(), nullptr};
  ::pid_t process = 0;
  const int failure = ::posix_spawnp(&process, name.c_str(), &actions, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0)
    throw NoGnuplot(
        "cannot run \"{}\" to draw pictures: {}. "
        "Install gnuplot (Debian: gnuplot-nox, and fonts-noto-cjk)",
        program, std::strerror(failure));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return {status, content(output.get()), content(messages.get())};
}

std::string terminal(const Figure& figure, Format format, const DrawOptions& options) {
  return fmt::format("set terminal {} noenhanced size {},{} font {} background '#ffffff'\n",
                     format == Format::png ? "pngcairo" : "svg", figure.width, figure.height,
                     literal(options.font + ",11"));
}

// A reader of an SVG file uses the fonts of his own machine, so it names more than one.
std::string with_more_fonts(std::string svg, const std::string& font) {
  const std::string attribute = "font-family=\"" + font;
  const std::string more = ", Noto Sans JP, Hiragino Sans, Yu Gothic, Meiryo, sans-serif";
  for (auto at = svg.find(attribute); at != std::string::npos; at = svg.find(attribute, at)) {
    at += attribute.size();
    svg.insert(at, more);
  }
  return svg;
}

bool complete(const std::string& bytes, Format format) {
  if (format == Format::png)
    return bytes.starts_with("\x89PNG") && bytes.find("IEND") != std::string::npos;
  return bytes.find("</svg>") != std::string::npos;
}

}  // namespace

std::string draw(const Figure& figure, Format format, const DrawOptions& options) {
  auto [status, output, messages] =
      run_gnuplot(options.gnuplot, terminal(figure, format, options) + figure.script);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !complete(output, format))
    throw Error("\"{}\" could not draw \"{}\" (status {}): {}", options.gnuplot, figure.title,
                WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), messages);
  return format == Format::svg ? with_more_fonts(std::move(output), options.font) : output;
}

void save(const Figure& figure, const std::filesystem::path& path, const DrawOptions& options) {
  const auto extension = path.extension();
  if (extension != ".png" && extension != ".svg")
    throw Error("cannot draw \"{}\": the extension says the format, expected .png or .svg",
                path.string());
  io::write_file_atomically(path,
                            draw(figure, extension == ".png" ? Format::png : Format::svg, options));
}

}  // namespace mtl::report
