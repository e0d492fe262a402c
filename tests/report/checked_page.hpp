#pragma once

#include <cstdlib>

#include "catch.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/page.hpp"
#include "temporary_folder.hpp"

/// Looks at a report with Python's own HTML parser: well-formed, nothing from elsewhere, below
/// 2 MB, all of report.json in it. Says so where there is no Python or there are no pictures.
inline void check_page(const mtl::report::ReportFiles& files) {
  if (!files.without_pictures.empty()) WARN(files.without_pictures);
  if (std::system("python3 -c '' 2>/dev/null") != 0) {
    WARN("there is no python3; pages are not parsed");
    return;
  }
  const TemporaryFolder folder;
  const auto said = folder / "said.txt";
  const std::string command = "python3 '" MTL_SOURCE_DIR "/tests/report/check_page.py' '" +
                              files.page.parent_path().string() + "' > '" + said.string() +
                              "' 2>&1";
  const bool good = std::system(command.c_str()) == 0;
  INFO(mtl::io::read_file(said));
  CHECK(good);
}
