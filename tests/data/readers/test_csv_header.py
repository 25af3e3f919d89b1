import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.errors import InputError

SIZE = np.array([200, 100])
BOX = np.array([0.2, 0.3, 0.5, 0.7])  # x_min y_min x_max y_max
CENTRES = [
    "filename,x_center,y_center,width,height,class",
    "image_id,cx,cy,w,h,label",
    "img,center_x,centre_y,box_w,box_h,name",
]
CORNERS_AND_SIZES = [
    "image,x,y,w,h,label",
    "image_id,x,y,width,height,class",
    "filename,left,top,width,height,class",
    "filename,xmin,ymin,w,h,class",
    "filename,x1,y1,bbox_width,bbox_height,class",
]
CORNERS = [
    "filename,x0,y0,x1,y1,class",
    "filename,left,top,right,bottom,class",
    "file,x_min,y_min,x_max,y_max,cls",
    "filename,bbox_x1,bbox_y1,bbox_x2,bbox_y2,class",
    "Filename,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId",
    "img_id,minx,miny,maxx,maxy,Class Label",
    "file,x_top_left,y_top_left,x_bottom_right,y_bottom_right,category",
    "image,x,y,x2,y2,label",
    "Frame,xmin,ymin,xmax,ymax,Label",  # Udacity
    "fname,bbox_x1,bbox_y1,bbox_x2,bbox_y2,label_id",  # Stanford cars
]


def write(folder, header, *rows):
    Image.new("RGB", tuple(SIZE)).save(folder / "a.jpg")
    path = folder / "boxes.csv"
    path.write_text("\n".join([header, *rows]))
    return path


def read(folder, header, numbers):
    numbers = ",".join(f"{value:g}" for value in numbers)
    dataset = read_csv(write(folder, header, f"a.jpg,{numbers},dog"))
    assert dataset.class_names == ("dog",)
    assert (dataset.records[0].width, dataset.records[0].height) == tuple(SIZE)
    return dataset


@pytest.mark.parametrize("scale", [SIZE, np.ones(2)], ids=["pixels", "fractions"])
@pytest.mark.parametrize("header", CENTRES + CORNERS_AND_SIZES + CORNERS)
def test_the_header_says_what_the_numbers_are(tmp_path, header, scale):
    low, high = BOX[:2], BOX[2:]
    first = (low + high) / 2 if header in CENTRES else low
    second = high if header in CORNERS else high - low
    dataset = read(tmp_path, header, [*(first * scale), *(second * scale)])
    np.testing.assert_allclose(dataset.records[0].boxes, [BOX[[1, 0, 3, 2]]], atol=1e-6)
    assumed = "columns x and y are taken as the upper left corner of the box"
    assert (assumed in dataset.notes) == (",x,y,w" in header)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("filename,width,height,class,xmin,ymin,xmax,ymax", "a.jpg,400,200,dog,40,30,100,70"),
        (
            "filename,image_width,image_height,class,x,y,width,height",
            "a.jpg,400,200,dog,40,30,60,40",
        ),
        ("filename,width,height,class,x,y,w,h", "a.jpg,400,200,dog,40,30,60,40"),
        ("filename,width,height,class,cx,cy,w,h", "a.jpg,400,200,dog,70,50,60,40"),
    ],
)
def test_width_and_height_may_be_the_picture_s(tmp_path, header, row):
    (record,) = read_csv(write(tmp_path, header, row)).records
    assert (record.width, record.height) == (400, 200)
    np.testing.assert_allclose(record.boxes, [[0.15, 0.1, 0.35, 0.25]], atol=1e-6)


def test_beside_corners_and_centres_width_and_height_are_nobody_s(tmp_path):
    header = "filename,xmin,ymin,xmax,ymax,x_center,y_center,width,height,class"
    (record,) = read_csv(write(tmp_path, header, "a.jpg,40,30,100,70,70,50,60,40,dog")).records
    assert (record.width, record.height) == tuple(SIZE)


def test_x_and_y_that_can_only_be_centres_are_refused(tmp_path):
    path = write(tmp_path, "image,x,y,w,h,label", "a.jpg,160,50,80,40,dog", "a.jpg,50,50,20,20,dog")
    with pytest.raises(InputError, match=r"1 of 2 boxes stick out.*x_center and y_center, or left"):
        read_csv(path)


def test_a_class_called_like_a_column(tmp_path):
    path = write(tmp_path, "a.jpg,left,10,20,30,60", "a.jpg,x,40,20,60,60")
    assert read_csv(path).class_names == ("left", "x")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("bild,links,oben,breite,hoehe,klasse", r"csv:1: no known header: bild,links.*x_center"),
        ("filename,cx,cy,class", "csv:1: the header must name once: box_width, box_height"),
        ("filename,x,y,w,h,species", "csv:1: the header must name once: label"),
        ("filename,x1,y1,x2,y2,x3,y3,x4,y4,class", "csv:1: columns of more than two corners"),
    ],
)
def test_a_header_that_does_not_say_what_is_needed(tmp_path, header, message):
    with pytest.raises(InputError, match=message):
        read_csv(write(tmp_path, header, "a.jpg,50,50,20,20,dog"))


@pytest.mark.parametrize(
    "header", ["image,xmin,ymin,xmax,ymax", "source,image,xmin,ymin,xmax,ymax"]
)
def test_without_a_class_all_boxes_are_of_one(tmp_path, header):
    start = "kaggle," * header.startswith("source")
    dataset = read_csv(write(tmp_path, header, f"{start}a.jpg,50,50,70,90", f"{start}b.jpg,,,,"))
    assert dataset.class_names == ("object",)
    assert dataset.num_boxes == 1
    assert "no column names a class: every box is one of 'object'" in dataset.notes
    assert not any("with a class and no box" in note for note in dataset.notes)


def test_of_two_columns_the_one_with_names_is_the_class(tmp_path):
    path = write(tmp_path, "image,label,class_name,xmin,ymin,xmax,ymax", "a.jpg,3,dog,5,5,70,90")
    assert read_csv(path).class_names == ("dog",)


def test_half_a_box_beside_a_size(tmp_path):
    with pytest.raises(InputError, match="csv:2: '' is not a finite number"):
        read_csv(write(tmp_path, "filename,cx,cy,w,h,class", "a.jpg,50,50,,20,dog"))
    path = write(tmp_path, "filename,cx,cy,w,h,class", "a.jpg,,,,,", "b.jpg,.5,.5,.2,.2,dog")
    assert [len(record.boxes) for record in read_csv(path).records] == [0, 1]
