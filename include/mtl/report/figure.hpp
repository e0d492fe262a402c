#pragma once

#include <filesystem>
#include <string>

#include "mtl/core/error.hpp"

namespace mtl::report {

/// A picture that waits to be drawn: what the functions of this room return and `draw` and `save`
/// take.
struct Figure {
  std::string title = {};         ///< plain text, for captions and readers that see no pictures
  std::string script = {};        ///< gnuplot commands and data, all but the terminal
  int width = 960, height = 540;  ///< pixels
  std::string values = {};        ///< what it shows, a JSON text for programs; may be empty
  bool photo = false;             ///< its colours mean themselves and stay on a dark page
};

enum class Format { png, svg };

struct DrawOptions {
  /// The program to run, looked for in PATH where it has no slash.
  std::string gnuplot = "gnuplot";
  /// Resolved by fontconfig. The default comes with Debian's fonts-noto-cjk and holds Japanese,
  /// Chinese and Korean.
  std::string font = "Noto Sans CJK JP";
};

/// gnuplot is not installed: whoever catches this can go on without pictures.
class NoGnuplot : public Error {
 public:
  using Error::Error;
};

/// The picture as the bytes of a file. Error: no gnuplot (a `NoGnuplot`), or what gnuplot says
/// where it cannot draw.
std::string draw(const Figure& figure, Format format, const DrawOptions& options = {});

/// Draws into a file, atomically; its extension (.png or .svg) says the format.
void save(const Figure& figure, const std::filesystem::path& path, const DrawOptions& options = {});

}  // namespace mtl::report
