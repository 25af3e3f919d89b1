import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolov2_tf.data.image_sets import TO_TRAIN
from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.errors import InputError

TF_HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"


def write(folder, text, pictures=("a.jpg", "b.jpg")):
    for name in pictures:
        Image.new("RGB", (100, 80)).save(folder / name)
    path = folder / "boxes.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "image,xmin,ymin,xmax,ymax,label\na.jpg,10,20,30,60.0,dog\nb.jpg,,,,,\na.jpg,0,0,100,80,cat\n",
        "a.jpg,10,20,30,60,dog\nb.jpg,,,,,\na.jpg,0,0,100,80,cat\n",
        "\ufeff\nLabel, Image ,xmin,ymin,xmax,ymax\n\n dog, a.jpg,10,20,30,60\n,b.jpg,,,,\n"
        "cat,a.jpg,0,0,100,80\n",
        TF_HEADER
        + "a.jpg,100,80,dog,10,20,30,60\nb.jpg,100,80,,,,,\na.jpg,100,80,cat,0,0,100,80\n",
        'id,image,x1,y1,x2,y2,class\r\n1,"a.jpg",10,20,30,60,dog\r\n2,b.jpg,,,,,\r\n'
        "3,a.jpg,0,0,100,80,cat\r\n",
    ],
)
def test_all_forms_give_the_same(tmp_path, text):
    dataset = read_csv(write(tmp_path, text))
    first, second = dataset.records
    assert dataset.class_names == ("cat", "dog")
    assert dataset.name == "boxes"
    assert dataset.notes == ()
    np.testing.assert_allclose(first.boxes, [[0.25, 0.1, 0.75, 0.3], [0, 0, 1, 1]])
    assert first.labels.tolist() == [1, 0]
    assert (first.image_id, first.width, first.height) == ("a.jpg", 100, 80)
    assert first.image == str(tmp_path / "a.jpg")
    assert second.boxes.shape == (0, 4)


def test_the_only_file_of_a_folder_is_the_set_that_its_name_says(tmp_path):
    row = "a.jpg,10,20,30,60,dog\n"
    write(tmp_path, row).rename(tmp_path / "test_labels.csv")
    assert read_csv(tmp_path).records[0].image_sets == ("test_labels",)
    assert read_csv(tmp_path / "test_labels.csv", split=TO_TRAIN).records[0].image_sets == ()
    with pytest.raises(InputError, match="only the image set test_labels, which is not to train"):
        read_csv(tmp_path, split=TO_TRAIN)
    header = "image,xmin,ymin,xmax,ymax,label,set\n"
    (tmp_path / "test_labels.csv").write_text(f"{header}a.jpg,10,20,30,60,dog,train\n")
    assert read_csv(tmp_path, split=TO_TRAIN).records[0].image_sets == ("train",)
    (tmp_path / "test_labels.csv").unlink()
    write(tmp_path, row)
    assert read_csv(tmp_path, split=TO_TRAIN).records[0].image_sets == ()


def test_sizes_in_the_file_make_pictures_unnecessary(tmp_path):
    dataset = read_csv(write(tmp_path, TF_HEADER + "x.jpg,200,100,dog,10,20,30,60\n", pictures=()))
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.2, 0.05, 0.6, 0.15]])
    assert dataset.records[0].image is None


def test_without_any_size_an_image_is_left_out_and_told(tmp_path):
    text = "a.jpg,10,20,30,60,dog\ngone.jpg,1,2,3,4,dog\n"
    dataset = read_csv(write(tmp_path, text))
    assert [r.image_id for r in dataset.records] == ["a.jpg"]
    what = "images without a size or a readable picture, left out: 1 (gone.jpg: not found)"
    assert dataset.notes == (what,)
    with pytest.raises(InputError, match=r"no picture can be read.*gone\.jpg"):
        read_csv(write(tmp_path, "gone.jpg,1,2,3,4,dog\n"))


def test_the_folder_of_the_pictures(tmp_path):
    for folder in ("images", "elsewhere"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (100, 80)).save(tmp_path / folder / f"{folder}.jpg")
    path = write(tmp_path, "images.jpg,10,20,30,60,dog\n")
    assert read_csv(path).records[0].image == str(tmp_path / "images" / "images.jpg")
    path = write(tmp_path, "elsewhere.jpg,10,20,30,60,dog\n")
    assert len(read_csv(path, images=tmp_path / "elsewhere")) == 1


def test_class_names_of_a_model(tmp_path):
    path = write(tmp_path, "a.jpg,1,2,3,4,dog\nb.jpg,1,2,3,4,cat\n")
    assert read_csv(path, class_names=["dog", "cat"]).records[0].labels.tolist() == [0]
    with pytest.raises(InputError, match=r"boxes\.csv:2: unknown class 'cat'"):
        read_csv(path, class_names=["dog"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the data set has no images"),
        ("image,xmin,ymin,xmax,ymax,label\n", "the data set has no images"),
        ("image,xmin,ymin,xmax,label\n", r"csv:1: the header must name once: ymax"),
        ("image,image,xmin,ymin,xmax,ymax,label\n", r"csv:1: the header must name once: image"),
        ("a.jpg,1,2,3,4\n", r"csv:1: 5 columns \(expected 6: image,xmin,ymin,xmax,ymax,label"),
        ("a.jpg,1,2,3,4,dog\na.jpg,1,2,3,dog\n", r"csv:2: 5 columns"),
        ("a.jpg,1,2,3,4,dog\n,1,2,3,4,dog\n", r"csv:2: no image is named"),
        ("a.jpg,1,2,3,4,\n", r"csv:1: the box or its label is incomplete"),
        ("a.jpg,1,2,,4,dog\n", r"csv:1: the box or its label is incomplete"),
        ("a.jpg,1,2,x,4,dog\n", r"csv:1: 'x' is not a finite number"),
        ("a.jpg,1,2,nan,4,dog\n", r"csv:1: 'nan' is not a finite number"),
        (TF_HEADER + "a.jpg,wide,80,dog,1,2,3,4", r"csv:2: size: 'wide' is not a finite number"),
        ("a.jpg,500,500,600,600,dog\n", "none of the 1 boxes lies in its picture"),
        ("a.jpg,,,,,\n", "no classes"),
        ("a.jpg,.1,.2,.3,1.0,dog\nb.jpg,9,9,20,30,dog\n", "1 of 2 boxes look like fractions"),
        ('a.jpg,"' + "x" * 200_000, r"csv:1: malformed CSV"),
    ],
)
def test_bad_files_raise_with_the_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_csv(write(tmp_path, text))


def test_mended_boxes_are_told_with_their_line(tmp_path):
    text = "a.jpg,10,20,30,60,dog\na.jpg,90,20,10,60,dog\nb.jpg,9,9,9,9,dog\nb.jpg,9,9,999,50,dog\n"
    dataset = read_csv(write(tmp_path, text))
    assert [len(record.boxes) for record in dataset.records] == [2, 1]
    swapped, empty, clipped = dataset.notes
    assert "boxes.csv:2)" in swapped
    assert "boxes.csv:3)" in empty
    assert "boxes.csv:4)" in clipped


@pytest.mark.parametrize("nothing", ["", "NaN", "nan", "None", "NULL"])
@pytest.mark.parametrize("columns", ["x_min,y_min,x_max,y_max", "left,top,width,height"])
def test_a_class_without_a_box_is_background(tmp_path, nothing, columns):
    """As in VinBigData, where `No finding` is a class."""
    background = ",".join([nothing] * 4)
    text = (
        f"image_id,class_name,class_id,rad_id,{columns}\n"
        f"a,No finding,14,R11,{background}\na,No finding,14,R12,{background}\n"
        "b,dog,1,R1,10,20,30,60\n"
    )
    dataset = read_csv(write(tmp_path, text))
    assert [len(record.boxes) for record in dataset.records] == [0, 1]
    assert dataset.class_names == ("dog",)
    (note,) = dataset.notes
    assert note.startswith("rows with a class and no box, taken as background: 2 (")
    assert "boxes.csv:2" in note
    assert "boxes.csv:3" in note
    unlabelled = f"image,label,{columns}\na.jpg,{nothing},{background}\nb.jpg,dog,10,20,30,60\n"
    assert read_csv(write(tmp_path, unlabelled)).notes == ()
    for gap in range(4):
        row = ["10", "20", "30", "60"]
        row[gap] = nothing
        with pytest.raises(InputError, match=r"boxes\.csv:2: "):
            read_csv(write(tmp_path, f"image,label,{columns}\na.jpg,dog,{','.join(row)}\n"))


cells = st.sampled_from(
    ["a.jpg", "b.jpg", "10", "20", "90", "-5", "nan", "", "dog", '"', "xmin", "image", "\n", "é"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(cells, max_size=20).map(",".join).map(str.encode),
        st.lists(st.tuples(cells, cells, cells, cells, cells, cells).map(",".join), max_size=4).map(
            lambda lines: "\n".join(["image,xmin,ymin,xmax,ymax,label", *lines]).encode()
        ),
    )
)
def test_any_file_gives_records_or_input_error(tmp_path, content):
    path = write(tmp_path, "")
    path.write_bytes(content)
    try:
        assert len(read_csv(path)) >= 1
    except InputError:
        return


def test_rows_of_one_picture_in_several_spellings_are_joined(tmp_path):
    rows = "./a.jpg,10,20,30,60,dog\na.jpg,0,0,100,80,cat\na,0,0,50,40,dog\nb.jpg,0,0,9,9,dog\n"
    dataset = read_csv(write(tmp_path, "image,xmin,ymin,xmax,ymax,label\n" + rows))
    assert [len(record.boxes) for record in dataset.records] == [3, 1]
