import pytest
from PIL import Image

from yolov2_tf.data.readers.csv_cells import number, read_cells
from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.errors import InputError


@pytest.mark.parametrize(
    ("cell", "value"), [("1.5", 1.5), ("1,5", 1.5), (",5", 0.5), ("0,125", 0.125), ("-2", -2)]
)
def test_numbers(cell, value):
    assert number(cell) == value


@pytest.mark.parametrize("cell", ["1,024.5", "1,024,000", "1,2,3", "", "x", "nan"])
def test_no_numbers(cell):
    with pytest.raises(ValueError, match=r"commas between its thousands|is not a finite number"):
        number(cell)


def test_a_comma_that_may_part_thousands_is_refused(tmp_path):
    Image.new("RGB", (2000, 1500)).save(tmp_path / "a.jpg")
    path = tmp_path / "boxes.csv"
    header = "image,xmin,ymin,xmax,ymax,label"
    path.write_text(f'{header}\na.jpg,10,20,"1,024",60,"1,024"\n')
    with pytest.raises(InputError, match=r"csv:2: '1,024' may have a comma.*expected numbers such"):
        read_csv(path)
    path.write_text(f'{header}\na.jpg,"10,5",20,40,60,"1,024"\n')
    assert read_csv(path).class_names == ("1,024",)
    path.write_text(f"{header.replace(',', ';')}\na.jpg;10,125;20,0;40,0;60,0;dog\n")
    assert read_csv(path).records[0].boxes[0, 1] == pytest.approx(10.125 / 2000)


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_excel_s_first_line_names_the_separator(tmp_path, separator):
    path = tmp_path / "boxes.csv"
    path.write_text(f"sep={separator}\na{separator}b\n\nc{separator}d\n")
    assert list(read_cells(path)) == [(2, ["a", "b"]), (4, ["c", "d"])]
