#include "mtl/io/text_encoding.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "temporary_folder.hpp"

using namespace mtl;

TEST_CASE("decode_text: UTF-8 with and without a mark, CP932, and nothing by mistake") {
  const auto decode = [](std::string bytes) {
    return io::decode_text(std::move(bytes), io::TextEncoding::automatic, "t.txt");
  };
  CHECK(decode("\xEF\xBB\xBF天気") == "天気");
  CHECK(decode("天気") == "天気");
  CHECK(decode("\x93\x56\x8B\x43\x87\x75") == "天気㎡");  // ㎡ is not in strict SHIFT_JIS
  CHECK(decode("plain") == "plain");
  CHECK(contains(error_text([&] { decode("a\nb\x93"); }),
                 "t.txt, line 2, byte 2: the file ends in "));
  CHECK(contains(error_text([&] { decode("\xFD\xFD"); }), "neither UTF-8 nor CP932"));
  CHECK(contains(error_text([&] { decode("天気予報図\xE5\n"); }),
                 "line 1, byte 16: byte 0xE5 is not"));
  const std::string utf16 = std::string("\xFF\xFE") + "a";
  CHECK(contains(error_text([&] { decode(utf16); }), "is in UTF-16"));
  CHECK(contains(error_text([] { io::decode_text("\xC0\x80", io::TextEncoding::utf8, "t"); }),
                 "byte 0xC0 is not UTF-8"));
}

TEST_CASE("decode_text: long texts of either encoding, faults told by line and byte") {
  std::string ascii(1000, 'x'), kana(1000, '\xB1');  // half-width a: one byte, three in UTF-8
  CHECK(io::decode_text(ascii + "気温" + ascii, io::TextEncoding::automatic, "t") ==
        ascii + "気温" + ascii);
  CHECK(io::decode_text(kana, io::TextEncoding::automatic, "t").size() == 3000);
  CHECK(contains(error_text([&] {
                   io::decode_text(ascii + "\n" + ascii + "\xFD", io::TextEncoding::utf8, "t");
                 }),
                 "t, line 2, byte 1001: byte 0xFD"));
}

TEST_CASE("read_text: a file, or an error with its name") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "t.csv", "\xEF\xBB\xBF気温\n");
  CHECK(io::read_text(folder / "t.csv") == "気温\n");
  CHECK(contains(error_text([&] { io::read_text(folder / "none.csv"); }), "none.csv"));
  CHECK(contains(error_text([&] { io::read_text(folder.path()); }), "Is a directory"));
}
