#include "mtl/io/iso_date.hpp"

#include "catch.hpp"

TEST_CASE("parse_iso_date: days and times as seconds since 1970") {
  const auto seconds = [](std::string_view text) {
    double value = -1;
    return mtl::io::parse_iso_date(text, value) ? value : -1;
  };
  CHECK(seconds("1970-01-01") == 0);
  CHECK(seconds("2024-02-29") == 1709164800);  // Python: datetime.timestamp()
  CHECK(seconds("2024-02-29T08:30") == 1709164800 + 8.5 * 3600);
  CHECK(seconds("2024-02-29 23:59:58.25Z") == 1709251198.25);
  for (const char* wrong :
       {"", "2023-02-29", "2024-13-01", "24-02-01", "2024-2-1", "2024-02-01 ", "2024-02-01T8:30",
        "2024-02-01 24:00", "2024-02-01T08:30:15.", "2024-02-01T08:30+02:00", "2024/02/01"})
    CHECK(seconds(wrong) == -1);
}
